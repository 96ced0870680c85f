// The page that leaves for another site by a POST: what it carries must be in no address. Its button does the same.
/** @type {HTMLFormElement | null} */ (document.querySelector("form[data-leaving]"))?.requestSubmit();
