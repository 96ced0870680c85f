// Runs before anything else of the page, inside it (docs/decisions/0028), so it blocks the parser: keep it small.
// It holds what a patient may press in the first frame. The page loads the other scripts after that frame.
import "./early/dispute_token.js";
import "./early/resumed_step.js";
import "./early/dialogs.js";
import "./early/tabs.js";
import "./early/shown_passwords.js";
import "./early/inner_links.js";
import "./early/held_presses.js";
import "./early/watched_sockets.js";
import "./early/app_start.js";
