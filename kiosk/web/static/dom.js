// Builds elements. Words only ever become text nodes, so nothing that a document or a system says can become markup.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function picture(name, className = "icon") {
  return el("img", { src: `/static/${name}.svg`, alt: "", class: className });
}

// "2027-01-01" as people write it here; partial dates keep what is known.
export function dateText(iso) {
  return iso ? iso.slice(0, 10).split("-").reverse().join("/") : "";
}

export function moneyText(dong) {
  return `${String(dong).replace(/\B(?=(\d{3})+$)/g, ".")} đ`;
}
