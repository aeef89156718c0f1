// What is added to Swagger UI, as plugins of it.

// --- Code for each call ----------------------------------------------------------------------

function Samples(React, code) {
  return function Tabs() {
    const languages = Object.keys(code);
    const [language, choose] = React.useState(localStorage.getItem("kith-docs-code") ?? "curl");
    const chosen = languages.includes(language) ? language : languages[0];
    const [copied, setCopied] = React.useState(false);
    const tabs = languages.map((name) =>
      React.createElement(
        "button",
        {
          key: name,
          type: "button",
          "aria-pressed": name === chosen,
          onClick: () => {
            localStorage.setItem("kith-docs-code", name);
            choose(name);
            setCopied(false);
          },
        },
        name,
      ),
    );
    const copy = React.createElement(
      "button",
      {
        type: "button",
        className: "copy",
        onClick: () => navigator.clipboard.writeText(code[chosen]).then(() => setCopied(true)),
      },
      copied ? "Copied" : "Copy",
    );
    return React.createElement(
      "div",
      { className: "samples" },
      React.createElement("div", { className: "tabs" }, React.createElement("h4", null, "Code"), tabs, copy),
      React.createElement("pre", { tabIndex: 0 }, React.createElement("code", null, code[chosen])),
    );
  };
}

function withSamples(samples) {
  const made = {};
  return ({ React }) => ({
    wrapComponents: {
      responses: (Responses) => (props) => {
        const key = `${props.method.toUpperCase()} ${props.path}`;
        if (!(key in samples)) return React.createElement(Responses, props);
        made[key] ??= Samples(React, samples[key]);
        return React.createElement(
          React.Fragment,
          null,
          React.createElement(made[key]),
          React.createElement(Responses, props),
        );
      },
    },
  });
}

// --- What people with a keyboard or a screen reader miss -------------------------------------

function forEverybody({ React }) {
  const h = React.createElement;

  function named(Original, name) {
    return (props) => {
      const place = React.useRef(null);
      React.useEffect(() => place.current.querySelector("select")?.setAttribute("aria-label", name));
      return h("div", { ref: place }, h(Original, props));
    };
  }

  return {
    wrapComponents: {
      // A link within the button that opens the call; the contents have one, too.
      DeepLink: () => ({ text }) => h("span", null, text),
      // In the button that closes a dialog.
      CloseIcon: (Original) => (props) =>
        h(
          React.Fragment,
          null,
          h(Original, props),
          h("span", { className: "only-read-out" }, "Close dialog"),
        ),
      ExamplesSelect: (Original) => named(Original, "Example"),
      // It scrolls, so it has to be reached.
      PlainTextViewer: () => ({ className = "", children }) =>
        h("pre", { className: `microlight ${className}`, tabIndex: 0 }, children),
      // There is one server, this one.
      ServersContainer: () => () => null,
    },
  };
}

// --- Speed -----------------------------------------------------------------------------------

// Swagger UI would read the document as YAML, and parse all of it again for each call that is
// opened: seconds. It refers to nothing but its own components, none of which contains itself.
function quickly(spec) {
  const known = new Map();

  function resolved(part) {
    if (Array.isArray(part)) return part.map(resolved);
    if (part === null || typeof part !== "object") return part;
    if (typeof part.$ref === "string") return { ...target(part.$ref), ...withoutRef(part) };
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, resolved(each)]));
  }

  function target(ref) {
    if (!known.has(ref)) {
      known.set(ref, { ...resolved(at(spec, ref.slice(2).split("/"))), $$ref: ref });
    }
    return known.get(ref);
  }

  return {
    fn: { resolveSubtree: async (_spec, path) => ({ spec: resolved(at(spec, path)), errors: [] }) },
    statePlugins: {
      spec: {
        wrapActions: {
          parseToJson: (_parse, system) => () => system.specActions.updateJsonSpec(spec),
        },
      },
    },
  };
}

function at(part, path) {
  return path.reduce((found, step) => found?.[step], part);
}

function withoutRef({ $ref, ...rest }) {
  return rest;
}
