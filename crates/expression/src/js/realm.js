// What an expression or script sees of its run, over the native functions in `h`. Runs once per context, before any
// tenant's code; everything it needs later is captured here, so that later changes to built-ins reach nothing of it.
(function (h) {
  'use strict';
  const G = globalThis;
  const { Object, Array, Map, Proxy, Error, TypeError, String } = G;
  const { defineProperty, keys } = Object;
  const { floor } = G.Math;
  const NOT_FOUND = -1;

  // ---- errors ----
  function fail(message, description, context) {
    const error = new Error(message);
    defineProperty(error, 'name', { value: 'ExpressionError', configurable: true, writable: true });
    error.description = description;
    error.context = context || {};
    throw error;
  }
  // ---- items ----
  // Converted items by list and index, until an expression that may write has run.
  let views = new Map();
  const lazy = (target, key, make) => defineProperty(target, key, {
    get() { const value = make(); this[key] = value; return value; },
    set(value) { defineProperty(this, key, { value, enumerable: true, configurable: true, writable: true }); },
    enumerable: true, configurable: true,
  });
  const withBinary = (item, list, index) => lazy(item, 'binary', () => h.binary(list, index));
  const view = (list, index) => {
    const key = list * 4294967296 + index;
    let item = views.get(key);
    if (item === undefined) {
      item = h.item(list, index, withBinary);
      if (item !== undefined) {
        if (views.size > 2048) views = new Map();
        views.set(key, item);
      }
    }
    return item;
  };
  const all = (list) => {
    const length = list === NOT_FOUND ? 0 : h.length(list);
    const items = new Array(length);
    for (let index = 0; index < length; index++) items[index] = view(list, index);
    return items;
  };
  // With `binaryMode: combined` items are handed out as their JSON.
  const shown = (item, whole) => (item !== undefined && !whole && h.combined() ? item.json : item);
  const shownAll = (items, whole) => (!whole && h.combined() ? items.map((item) => item.json) : items);
  const withoutData = (binary) => {
    const described = {};
    for (const name of keys(binary || {})) {
      const entry = { ...binary[name] };
      delete entry.data;
      described[name] = entry;
    }
    return described;
  };

  // ---- the current item ----
  // `at` is an item index, or undefined for the scope's own.
  const currentItem = (at) => {
    let list;
    let index = at;
    if (at === undefined) {
      const key = h.current();
      const known = views.get(key);
      if (known !== undefined || key === NOT_FOUND) return known;
      list = floor(key / 4294967296);
      index = key % 4294967296;
    } else {
      list = h.input();
      if (list === NOT_FOUND) return undefined;
    }
    const item = view(list, index);
    if (item === undefined) throw new TypeError('there is no item ' + index);
    return item;
  };
  const getters = (target, accessors) => {
    for (const name of keys(accessors)) {
      defineProperty(target, name, { get: accessors[name], enumerable: true, configurable: true });
    }
    return target;
  };
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
  const rawParameters = (node) => h.parameters(node);

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

  const referenced = (name, whole) => {
    const node = nodeOf(name);
    const output = (branch, run) => {
      const list = h.output(node, branch === undefined ? -1 : branch, run === undefined ? -1 : run);
      return list;
    };
    const paired = (method) => (index) => {
      if (index === undefined && method === 'itemMatching') {
        fail('Missing item index for .itemMatching()', 'Pass the index of an item of the current node, such as itemMatching(0).');
      }
      const found = h.paired(node, index === undefined ? h.itemIndex() : index, method);
      return found === undefined ? undefined : shown(view(found[0], found[1]), whole);
    };
    const target = {
      first(branch, run) {
        return shown(view(output(branch, run), 0), whole);
      },
      last(branch, run) {
        const list = output(branch, run);
        const length = h.length(list);
        return length === 0 ? undefined : shown(view(list, length - 1), whole);
      },
      all: (branch, run) => shownAll(all(output(branch, run)), whole),
      pairedItem: paired('pairedItem'),
      itemMatching: paired('itemMatching'),
    };
    return getters(target, {
      item: () => paired('item')(),
      params: () => parametersOf(node),
      context: () => h.context(node),
      isExecuted: () => h.executed(node),
    });
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

  const input = () => {
    const none = (method, given) => {
      if (given.length > 0) fail('$input.' + method + '() should have no arguments');
    };
    const target = {
      first(...given) {
        none('first', given);
        return shown(view(h.inputOrNone(), 0));
      },
      last(...given) {
        none('last', given);
        const list = h.inputOrNone();
        return list === NOT_FOUND ? undefined : shown(view(list, h.length(list) - 1));
      },
      all(...given) {
        none('all', given);
        return shownAll(all(h.inputOrNone()));
      },
    };
    return getters(target, {
      item: () => {
        const list = h.inputOrNone();
        return list === NOT_FOUND ? undefined : shown(view(list, h.itemIndex()));
      },
      params: () => {
        const node = h.previousNode();
        return node === NOT_FOUND ? undefined : parametersOf(node);
      },
      context: () => h.context(h.activeNode()),
    });
  };

  // ---- the globals of an item: `at` and `run` are set for $item(at, run) ----
  const namesAt = (at, run) => ({
    get $json() { const item = currentItem(at); return item === undefined ? undefined : item.json; },
    get $data() { const item = currentItem(at); return item === undefined ? undefined : item.json; },
    get $binary() { const item = currentItem(at); return item === undefined ? undefined : withoutData(item.binary); },
    get $thisItem() { return currentItem(at); },
    get $node() { return named((name) => legacyNode(name, at, run), () => h.nodeNames(), (name) => h.findNode(name) !== NOT_FOUND); },
    get $itemIndex() { return at === undefined ? h.itemIndex() : at; },
    get $position() { return at === undefined ? h.itemIndex() : at; },
    get $thisItemIndex() { return at === undefined ? h.itemIndex() : at; },
    get $runIndex() { return h.runIndex(); },
    get $thisRunIndex() { return h.runIndex(); },
    get $input() { return input(); },
    get $parameter() { return parameterProxy(at); },
    get $rawParameter() { return rawParameters(h.activeNode()); },
    get $prevNode() { return h.previous(); },
    get $workflow() { return h.workflow(); },
    get $execution() { return { ...h.execution(), customData: rare().customData }; },
    get $env() { return h.env(); },
    get $vars() { return h.vars(); },
    get $secrets() { return h.secrets(); },
    get $nodeVersion() { return h.nodeInfo().version; },
    get $nodeId() { return h.nodeInfo().id; },
    get $webhookId() { return h.nodeInfo().webhookId; },
    get $self() { return {}; },
    get $mode() { return h.mode(); },
    get $agentInfo() { return h.agentInfo(); },
    get $tool() { return rare().tool(); },
    get $() { return referenced; },
    get $items() { return items; },
    get $item() { return itemProxy; },
    get $fromAI() { return rare().fromAI; },
    get $fromAi() { return rare().fromAI; },
    get $fromai() { return rare().fromAI; },
    get $getPairedItem() { return rare().getPairedItem; },
    get $evaluateExpression() { return evaluateExpression; },
  });
  function itemProxy(index, run) {
    return namesAt(index, run);
  }
  function evaluateExpression(text, index) {
    return h.evaluateFor('=' + text, h.activeNode(), index);
  }
  // `$parameter["&name"]` reads a parameter beside the one that is being evaluated.
  function parameterProxy(at) {
    const node = h.activeNode();
    const own = parametersOf(node, at);
    return new Proxy(own, {
      get(target, name) {
        if (typeof name === 'string' && name[0] === '&') {
          const beside = h.siblings();
          return beside === undefined ? undefined : parameterView(beside[name.slice(1)], node, at);
        }
        return target[name];
      },
      set: () => true, deleteProperty: () => true, defineProperty: () => true,
    });
  }

  // What few expressions need is loaded when the first one does.
  let loaded;
  const rare = () => (loaded ??= h.load('rare')(h, base));
  const base = {
    G, Promise: G.Promise, names: namesAt(undefined, undefined), rare, view, all, fail,
    objectPrototype: Object.prototype,
    forget() { views = new Map(); },
  };
  return base;
})
