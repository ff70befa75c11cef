// What expressions and scripts see of other nodes: $("name"), $node["name"], $items, $item, parameters.
(function (h, base) {
  'use strict';
  const { G, view, all, shown, shownAll, withoutData, lazy, fail, natives } = base;
  const { Array, Proxy, String } = { Array: G.Array, Proxy: natives.Proxy, String: G.String };
  const { defineProperty } = natives.Object;
  const { keys } = G.Object;
  const NOT_FOUND = -1;

  // Fields that are made when read, and written only to a copy of their own.
  const record = (accessors) => {
    const target = {};
    for (const name of keys(accessors)) lazy(target, name, accessors[name]);
    return target;
  };
  const named = (get, names, has) => new Proxy({}, {
    get: (_, name) => (typeof name === 'string' ? get(name) : undefined),
    has: (_, name) => (has ? has(name) : typeof name === 'string'),
    ownKeys: () => names(),
    getOwnPropertyDescriptor: (_, name) => ({ value: get(name), enumerable: true, configurable: true, writable: true }),
    set: () => true, deleteProperty: () => true, defineProperty: () => true,
  });

  // ---- nodes ----
  const nodeOf = (name) => {
    const node = h.findNode(name);
    if (node === NOT_FOUND) h.unknownNode(name);
    return node;
  };
  // Parameters of a node: expressions in them are evaluated when they are read.
  const parametersOf = (node, at) => parameterView(h.parameters(node), node, at);
  const parameterView = (raw, node, at) => {
    if (raw === null || typeof raw !== 'object') {
      return typeof raw === 'string' && raw[0] === '=' ? h.evaluateFor(raw, node, at) : raw;
    }
    const target = Array.isArray(raw) ? [] : {};
    for (const key of keys(raw)) {
      const value = raw[key];
      if ((typeof value === 'string' && value[0] === '=') || (value !== null && typeof value === 'object')) {
        lazy(target, key, () => parameterView(value, node, at));
      } else {
        target[key] = value;
      }
    }
    return target;
  };

  const legacyItem = (node, at, run) => {
    const list = h.legacyOutput(node, run);
    return view(list, h.legacyIndex(list, node, at === undefined ? h.itemIndex() : at));
  };
  const legacyNode = (name, at, run) => {
    const node = nodeOf(name);
    return record({
      json: () => legacyItem(node, at, run).json,
      data: () => legacyItem(node, at, run).json,
      binary: () => withoutData(legacyItem(node, at, run).binary),
      context: () => h.context(node),
      parameter: () => parametersOf(node, at),
      runIndex: () => h.lastRun(node),
    });
  };

  const referenced = (name, full) => {
    const node = nodeOf(name);
    const output = (branch, run) => h.output(node, branch === undefined ? -1 : branch, run === undefined ? -1 : run);
    const paired = (method) => (index) => {
      if (index === undefined && method === 'itemMatching') {
        fail('Missing item index for .itemMatching()', 'Pass the index of an item of the current node, such as itemMatching(0).');
      }
      const found = h.paired(node, index === undefined ? h.itemIndex() : index, method);
      return found === undefined ? undefined : shown(view(found[0], found[1]), full);
    };
    return {
      first: (branch, run) => shown(view(output(branch, run), 0), full),
      last(branch, run) {
        const list = output(branch, run);
        const length = h.length(list);
        return length === 0 ? undefined : shown(view(list, length - 1), full);
      },
      all: (branch, run) => shownAll(all(output(branch, run)), full),
      pairedItem: paired('pairedItem'),
      itemMatching: paired('itemMatching'),
      get item() { return paired('item')(); },
      get params() { return parametersOf(node); },
      get context() { return h.context(node); },
      get isExecuted() { return h.executed(node); },
    };
  };
  defineProperty(referenced, 'name', { value: '$' });

  const items = (name, output, run) => {
    if (name === undefined) {
      const list = h.inputOrNone();
      const found = all(list);
      return h.previousRunsOnce() ? found.slice(0, 1) : found;
    }
    return all(h.itemsOf(String(name), output || 0, run === undefined ? -1 : run));
  };

  const legacy = (at, run) =>
    named((name) => legacyNode(name, at, run), () => h.nodeNames(), (name) => h.findNode(name) !== NOT_FOUND);
  const item = (index, run) => base.namesAt(index, run);
  const evaluateExpression = (text, index) => h.evaluateFor('=' + text, h.activeNode(), index);
  // `$parameter["&name"]` reads a parameter beside the one that is being evaluated.
  const parameterProxy = (at) => {
    const node = h.activeNode();
    return new Proxy(parametersOf(node, at), {
      get(target, name) {
        if (typeof name === 'string' && name[0] === '&') {
          const beside = h.siblings();
          return beside === undefined ? undefined : parameterView(beside[name.slice(1)], node, at);
        }
        return target[name];
      },
      set: () => true, deleteProperty: () => true, defineProperty: () => true,
    });
  };
  return { referenced, legacy, items, item, parametersOf, parameterProxy, evaluateExpression };
})
