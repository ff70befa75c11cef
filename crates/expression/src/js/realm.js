// What an expression or script sees of its run, over the native functions in `h`. Runs once per context, before any
// tenant's code; everything it needs later is captured here, so that later changes to built-ins reach nothing of it.
(function (h) {
  'use strict';
  const G = globalThis;
  const { Object, Map, Proxy, Error, TypeError } = G;
  const { defineProperty, defineProperties, setPrototypeOf, getPrototypeOf, freeze, keys } = Object;
  const { floor } = G.Math;
  const { apply: call } = G.Reflect;
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
  // Converted items, until an expression that may write has run. Scripts keep all of them, as they may change them and
  // read them again; expressions keep the last few.
  const SLOTS = 64;
  const slotKeys = [];
  const slots = [];
  let kept;
  // Lists that were converted as a whole.
  let whole = new Map();
  const forget = () => {
    whole = new Map();
    if (kept !== undefined) kept = new Map();
    slotKeys.length = slots.length = 0;
  };
  const lazy = (target, key, make) => defineProperty(target, key, {
    get() { const value = make(); this[key] = value; return value; },
    set(value) { defineProperty(this, key, { value, enumerable: true, configurable: true, writable: true }); },
    enumerable: true, configurable: true,
  });
  const withBinary = (item, list, index) => lazy(item, 'binary', () => h.binary(list, index));
  const convert = (list, index) =>
    (whole.size > 0 && whole.has(list) ? whole.get(list)[index] : h.item(list, index, withBinary));
  const view = (list, index) => {
    if (kept !== undefined) {
      let items = kept.get(list);
      if (items === undefined) kept.set(list, items = new Map());
      let item = items.get(index);
      if (item === undefined) items.set(index, item = convert(list, index));
      return item;
    }
    const key = list * 4294967296 + index;
    const slot = index % SLOTS;
    if (slotKeys[slot] === key) return slots[slot];
    const item = convert(list, index);
    if (slots.length === 0) {
      for (let empty = 0; empty < SLOTS; empty++) slots[empty] = slotKeys[empty] = undefined;
    }
    slotKeys[slot] = key;
    return slots[slot] = item;
  };
  // All items of a list: converted in one go, together with those that were read one by one before.
  const all = (list) => {
    if (list === NOT_FOUND) return [];
    let items = whole.get(list);
    if (items === undefined) {
      items = h.items(list, withBinary);
      for (const [index, item] of kept?.get(list) ?? []) {
        if (index < items.length) items[index] = item;
      }
      if (kept === undefined && whole.size >= 4) whole = new Map();
      whole.set(list, items);
    }
    return items.slice();
  };
  // With `binaryMode: combined` items are handed out as their JSON.
  const shown = (item, full) => (item !== undefined && !full && h.combined() ? item.json : item);
  const shownAll = (items, full) => (!full && h.combined() ? items.map((item) => item.json) : items);
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
    const key = at === undefined ? h.current() : h.input();
    if (key === NOT_FOUND) return undefined;
    const list = at === undefined ? floor(key / 4294967296) : key;
    const index = at === undefined ? key % 4294967296 : at;
    const item = view(list, index);
    if (item === undefined) throw new TypeError('there is no item ' + index);
    return item;
  };

  // ---- $input ----
  const none = (method, given) => {
    if (given.length > 0) fail('$input.' + method + '() should have no arguments');
  };
  const input = freeze({
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
    get item() {
      const list = h.inputOrNone();
      return list === NOT_FOUND ? undefined : shown(view(list, h.itemIndex()));
    },
    get params() {
      const node = h.previousNode();
      return node === NOT_FOUND ? undefined : nodes().parametersOf(node);
    },
    get context() { return h.context(h.activeNode()); },
  });

  // ---- the globals of an item: `at` and `run` are set for $item(at, run) ----
  const namesAt = (at, run) => ({
    get $json() { const item = currentItem(at); return item === undefined ? undefined : item.json; },
    get $data() { const item = currentItem(at); return item === undefined ? undefined : item.json; },
    get $binary() { const item = currentItem(at); return item === undefined ? undefined : withoutData(item.binary); },
    get $thisItem() { return currentItem(at); },
    get $node() { return nodes().legacy(at, run); },
    get $itemIndex() { return at === undefined ? h.itemIndex() : at; },
    get $position() { return at === undefined ? h.itemIndex() : at; },
    get $thisItemIndex() { return at === undefined ? h.itemIndex() : at; },
    get $runIndex() { return h.runIndex(); },
    get $thisRunIndex() { return h.runIndex(); },
    get $input() { return input; },
    get $parameter() { return nodes().parameterProxy(at); },
    get $rawParameter() { return h.parameters(h.activeNode()); },
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
    get $() { return nodes().referenced; },
    get $items() { return nodes().items; },
    get $item() { return nodes().item; },
    get $fromAI() { return rare().fromAI; },
    get $fromAi() { return rare().fromAI; },
    get $fromai() { return rare().fromAI; },
    get $getPairedItem() { return rare().getPairedItem; },
    get $evaluateExpression() { return nodes().evaluateExpression; },
    LIBRARY_GETTERS
  });

  // ---- sorting ----
  const { prototype } = G.Array;
  const plain = { sort: prototype.sort, toSorted: prototype.toSorted };
  const sorting = {
    sort(compare) {
      const sorted = typeof compare === 'function' ? h.sort(this, compare) : undefined;
      if (sorted === undefined) return call(plain.sort, this, [compare]);
      for (let at = 0; at < sorted.length; at++) this[at] = sorted[at];
      return this;
    },
    toSorted(compare) {
      const sorted = typeof compare === 'function' ? h.sort(this, compare) : undefined;
      return sorted === undefined ? call(plain.toSorted, this, [compare]) : sorted;
    },
  };
  // They are there already, so they stay hidden and writable.
  for (const name of ['sort', 'toSorted']) defineProperty(prototype, name, { value: sorting[name] });

  // ---- chance: the engine's own would be the same in every run ----
  let chances = [];
  let drawn = 0;
  const { random } = {
    random() {
      if (drawn === chances.length) {
        chances = h.random();
        drawn = 0;
      }
      return chances[drawn++];
    },
  };
  defineProperty(G.Math, 'random', { value: random });

  // ---- parts that are loaded when they are first needed ----
  let rareParts;
  let nodeParts;
  const rare = () => (rareParts ??= h.load('rare')(h, base));
  const nodes = () => (nodeParts ??= h.load('nodes')(h, base));
  // The library takes the place of these names by its own. It needs built-ins that expressions do not find.
  const natives = {
    Object: { __proto__: Object, defineProperty, defineProperties, setPrototypeOf, getPrototypeOf },
    Reflect: G.Reflect, Proxy, Function: G.Function,
  };
  let installed = false;
  const library = (name) => {
    if (!installed) {
      installed = true;
      h.library(natives);
    }
    return name === undefined ? undefined : G[name];
  };
  const base = {
    G, Promise: G.Promise, natives, library, namesAt, rare, view, all, shown, shownAll, withoutData, lazy, fail,
    names: namesAt(undefined, undefined),
    objectPrototype: Object.prototype,
    keepItems() { kept = new Map(); },
    skipLibrary() { installed = true; },
    forget,
  };
  return base;
})
