"""Calls of patients to a number of SMS.ru (https://sms.ru/api/callcheck). SMS.ru drops the call and says which phone it came from."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import parse_qsl

from medonline.domain.codes.patient_call import number_to_dial
from medonline.domain.errors import DeliveryFailed, ProviderRefused
from medonline.providers.sms_ru import SmsRuAccount
from medonline.providers.values import reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, ForgedReport, SentCode

# These ids look like the ids of messages and calls. A report about one must never count for another.
_PREFIX = "callcheck-"
_STATUS = {"401": DeliveryReport.DELIVERED, "402": DeliveryReport.FAILED}  # "400": still waiting
_FIELD = re.compile(r"data\[(\d{1,3})\]", re.ASCII)
_MOST_FIELDS = 200


class SmsRuCall(SmsRuAccount):
    """Gives a number to call, and tells whether the patient's phone called it. `message.code` is not used."""

    # This places no call: a repeated request only names a number twice.
    idempotent = True

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Ask for the number to call.

        Raises:
            DeliveryFailed: one of its subclasses; another vendor may be asked after any of them.
        """
        try:
            asked = await self._asked("/callcheck/add", {"phone": message.phone.digits})
        except DeliveryFailed as error:
            error.may_have_gone_out = False  # this request sends nothing to the patient
            raise
        number = number_to_dial(asked.get("call_phone"))
        if number is None:
            raise ProviderRefused("sms_ru: an answer without a number to call")
        return SentCode(_PREFIX + reference_of(asked.get("check_id"), self.provider), "", call_number=number)

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """DELIVERED: the patient's phone called the number. FAILED: it did not call in time. None: it has not called yet.

        Raises:
            DeliveryFailed: SMS.ru gave no usable answer, or does not know this wait for a call.
        """
        told = await self._asked("/callcheck/status", {"check_id": provider_ref.removeprefix(_PREFIX)})
        return _STATUS.get(str(told.get("check_status")))

    def read_report(self, body: bytes) -> list[str]:
        """The references in a posted report. It has fields `data[0]`, `data[1]` …, each with the lines «type, id, status, Unix time», and
        `hash`, the hex SHA-256 of the `api_id` and all those fields.

        Raises:
            ForgedReport: the hash is wrong or missing.
        """
        try:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise ForgedReport("no form") from None
        numbered = sorted((int(found[1]), value) for name, value in fields.items() if (found := _FIELD.fullmatch(name)))
        data = [value for _, value in numbered]
        right = hashlib.sha256((self._api_id + "".join(data)).encode()).hexdigest()
        if not data or not hmac.compare_digest(fields.get("hash", "").encode(), right.encode()):
            raise ForgedReport("wrong hash")
        return [one for one in map(_reference, data) if one]


def _reference(entry: str) -> str:
    kind, _, rest = entry.replace("\r\n", "\n").partition("\n")
    named = rest.partition("\n")[0]
    return f"{_PREFIX}{named}" if kind == "callcheck_status" else named if kind == "sms_status" else ""
