// What a form control holds before a scan is typed into it.

// -> {restore()}, or null where keys change nothing.
export function held(control) {
  if (control instanceof HTMLSelectElement) return choice(control);
  if (control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement) return text(control);
  return null;
}

function text(control) {
  const { value, selectionStart: start, selectionEnd: end } = control;
  const restore = () => {
    if (control.value !== value) changed(control, () => (control.value = value));
    if (start !== null) control.setSelectionRange(start, end);
  };
  return { restore };
}

// Letters typed on a list choose from it.
function choice(control) {
  const { selectedIndex } = control;
  const restore = () => {
    if (control.selectedIndex !== selectedIndex) changed(control, () => (control.selectedIndex = selectedIndex));
  };
  return { restore };
}

function changed(control, change) {
  change();
  for (const type of ["input", "change"]) control.dispatchEvent(new Event(type, { bubbles: true }));
}
