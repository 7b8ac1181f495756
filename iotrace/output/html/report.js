"use strict";
// A click on a column's title sorts its table: figures from the biggest, texts by alphabet; a
// second click turns it round. Figures are read as they are printed: "1.24 s", "48.2 MiB", "123 k".
(function () {
  var UNITS = {
    ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600,
    B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824, TiB: 1099511627776,
    k: 1e3, M: 1e6, G: 1e9, T: 1e12, "": 1, "%": 1
  };
  function figure(text) {
    var parts = /^[~<>]?(-?[\d,]+(?:\.\d+)?) ?([A-Za-z%]*)/.exec(text);
    if (!parts || !(parts[2] in UNITS)) { return -Infinity; }
    return parseFloat(parts[1].replace(/,/g, "")) * UNITS[parts[2]];
  }
  function sort(head) {
    var table = head.closest("table"), body = table.tBodies[0];
    var index = Array.prototype.indexOf.call(head.parentNode.children, head);
    var textual = !head.classList.contains("right");
    var before = head.getAttribute("aria-sort");
    var first = textual ? "ascending" : "descending";
    var order = before === first ? (textual ? "descending" : "ascending") : first;
    var rows = Array.prototype.map.call(body.rows, function (row) {
      var text = row.cells[index].textContent;
      return { row: row, key: textual ? text : figure(text) };
    });
    rows.sort(function (a, b) {
      var way = textual ? a.key.localeCompare(b.key) : (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
      return order === "ascending" ? way : -way;
    });
    Array.prototype.forEach.call(head.parentNode.children, function (one) {
      one.removeAttribute("aria-sort");
    });
    head.setAttribute("aria-sort", order);
    rows.forEach(function (one) { body.appendChild(one.row); });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("th button");
    if (button) { sort(button.parentNode); }
  });
}());
