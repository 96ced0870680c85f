// The page that leaves for another site by a POST: what it carries must stand in no address. Its button does the same.
"use strict";

document.querySelector("form[data-leaving]")?.requestSubmit();
