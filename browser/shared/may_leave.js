// A page that is leaving must not go anywhere else: the patient's last press wins over a late answer. Code that goes to another page
// because of an answer calls this first. portal/departure.js decides.
export const mayLeave = () => document.dispatchEvent(new CustomEvent("portal:may-leave", { cancelable: true }));
