"""Codes by SMS are filled in by the browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import STEP_2, STEP_3, TELEGRAM, Portal

SMS = "Код в SMS"
# A browser that knows WebOTP, and gets an SMS when the test says so; Chromium on a desktop knows no phone.
BROWSER_WITH_WEB_OTP = """
window.OTPCredential = class {};
navigator.credentials.get = (asked) => new Promise((resolve, reject) => {
  window.smsAsked = asked.otp.transport.join();
  window.smsComes = (code) => resolve({ code });
  asked.signal.addEventListener("abort", () => { window.smsAsked = "no more"; reject(asked.signal.reason); });
});
"""


def test_a_browser_with_web_otp_fills_the_code_in(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.page.add_init_script(BROWSER_WITH_WEB_OTP)
    portal.open_recovery()
    portal.page.get_by_text("Другие способы").click()
    portal.begin(patient.phone, SMS)
    expect(portal.main).to_contain_text("SMS доставлена.")
    portal.page.wait_for_function("() => window.smsAsked === 'sms'")
    portal.page.evaluate("code => window.smsComes(code)", demo_phone.code(patient.phone, "sms"))
    expect(portal.field("Проверочный код")).to_have_value(demo_phone.code(patient.phone, "sms"))
    portal.button("ОТПРАВИТЬ").click()
    portal.expect_step(STEP_3)


def test_the_browser_waits_for_no_sms_where_a_call_comes(portal: Portal, patient: Patient) -> None:
    portal.page.add_init_script(BROWSER_WITH_WEB_OTP)
    portal.open_recovery().begin(patient.phone, TELEGRAM)
    portal.expect_step(STEP_2)

    assert portal.page.evaluate("window.smsAsked") is None
