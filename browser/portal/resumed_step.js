// Remembers the step of this tab's recovery for the first frame after a reload (early/resumed_step.js). It keeps only the step's name.
import { all } from "../shared/dom.js";
import { STEP_KEY, remember } from "../shared/tab_storage.js";

/** Once the server has said the step, shows it and remembers it. */
export function followResumedStep() {
  const [wizard] = all(".wizard[data-loaded=yes]");
  if (!wizard) return;
  delete document.documentElement.dataset.resumes;
  remember(STEP_KEY, wizard.dataset.step ?? "");
}
