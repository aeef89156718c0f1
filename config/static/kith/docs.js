const text = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const code = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace';
const place = document.getElementById("docs");

Redoc.init(
  place.dataset.schema,
  {
    hideHostname: true,
    hideLoading: true,
    jsonSampleExpandLevel: 3,
    nativeScrollbars: true,
    pathInMiddlePanel: true,
    sortRequiredPropsFirst: false,
    theme: {
      colors: { primary: { main: "#1f6f5c" } },
      rightPanel: { backgroundColor: "#17211e" },
      sidebar: { backgroundColor: "#f5f7f6", textColor: "#17211e", width: "18rem" },
      typography: {
        fontFamily: text,
        fontSize: "15px",
        headings: { fontFamily: text, fontWeight: "600" },
        code: { fontFamily: code, fontSize: "13px" },
      },
    },
  },
  place,
);
