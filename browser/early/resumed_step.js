// The built page of a recovery shows step 1. A reload at a later step must not show step 1 even for a moment. So the stylesheet keeps
// the place empty until the server has said which step it is (portal/resumed_step.js).
import { STEP_KEY, remembered } from "../shared/tab_storage.js";

const isRecovery = location.pathname.replace(/\/$/, "") === "/recovery";
const step = remembered(STEP_KEY) ?? "phone";
if (isRecovery && step !== "phone") document.documentElement.dataset.resumes = step;
