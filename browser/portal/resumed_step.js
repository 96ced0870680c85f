// The step at which this tab's recovery is, for the first frame after a reload (early/resumed_step.js). The word for a step, nothing else.
import { all } from "../shared/dom.js";
import { STEP_KEY, remember } from "../shared/tab_storage.js";

/** Once the server has said the step: it is shown, and remembered. */
export function followResumedStep() {
  const [wizard] = all(".wizard[data-loaded=yes]");
  if (!wizard) return;
  delete document.documentElement.dataset.resumes;
  remember(STEP_KEY, wizard.dataset.step ?? "");
}
