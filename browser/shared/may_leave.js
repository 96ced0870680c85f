// A page that is on its way out goes nowhere else: the patient's last press wins over what is answered meanwhile. Who leads to another
// page on such an answer asks here first; portal/departure.js knows.
export const mayLeave = () => document.dispatchEvent(new CustomEvent("portal:may-leave", { cancelable: true }));
