// Runs before anything else of the page, so it blocks the parser: keep it small.
import "./early/dispute_token.js";
import "./early/held_presses.js";
