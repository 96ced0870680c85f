// This page leaves for another site by a POST, because its data must not be in an address. Its button does the same without a script.
/** @type {HTMLFormElement | null} */ (document.querySelector("form[data-leaving]"))?.requestSubmit();
