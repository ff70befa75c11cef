// What only scripts (Code and Function nodes) get, on top of the realm.
(function (h, base) {
  'use strict';
  const G = globalThis;
  const { Error, Math, Number, Proxy, TypeError } = G;
  const { defineProperty, setPrototypeOf } = G.Object;
  const { view, all } = base;
  base.keepItems();
  const put = (name, value) => defineProperty(G, name, { value, enumerable: false, configurable: true, writable: true });
  // A name that is made when it is first read.
  const later = (name, make) => defineProperty(G, name, {
    get() { const value = make(); put(name, value); return value; },
    set(value) { put(name, value); },
    enumerable: false, configurable: true,
  });

  let loaded;
  const outside = () => (loaded ??= h.load('outside')(h, base, texts));
  let bytes;
  const texts = () => (bytes ??= h.load('texts')(G));

  // Timers, as far as `await new Promise((done) => setTimeout(done, 100))` needs them.
  let timers = [];
  let timerCount = 0;
  const setTimeout = (run, delay, ...given) => {
    if (typeof run !== 'function') throw new TypeError('The "callback" argument must be of type function');
    timers.push({ id: ++timerCount, run, given, at: Math.max(Number(delay) || 0, 0) });
    return timerCount;
  };

  setPrototypeOf(G, {
    __proto__: base.names,
    get console() { return outside().console; },
    get helpers() { return outside().context.helpers; },
    get $helpers() { return outside().context.helpers; },
    get getWorkflowStaticData() { return outside().context.getWorkflowStaticData; },
    get $getWorkflowStaticData() { return outside().context.getWorkflowStaticData; },
    get getNodeParameter() { return outside().context.getNodeParameter; },
    get $getNodeParameter() { return outside().context.getNodeParameter; },
    get process() { return base.rare().process(); },
    get Buffer() { return texts().Buffer; },
    get TextEncoder() { return texts().TextEncoder; },
    get TextDecoder() { return texts().TextDecoder; },
    get atob() { return texts().atob; },
    get btoa() { return texts().btoa; },
    setTimeout,
    setImmediate: (run, ...given) => setTimeout(run, 0, ...given),
    clearTimeout(id) { timers = timers.filter((timer) => timer.id !== id); },
    require(name) { throw new Error("Cannot find module '" + name + "'"); },
  });

  // Begins a script; `state` says how it went once the jobs have run.
  const start = (run, kind) => {
    timers = [];
    const list = h.inputOrNone();
    const index = h.itemIndex();
    const state = { done: false, failed: false, value: undefined, binary: undefined };
    let own;
    if (kind === 1) {
      later('item', () => view(list, index));
    } else if (kind === 3) {
      const whole = view(list, index);
      own = {
        getBinaryData: () => whole.binary,
        setBinaryData(data) { whole.binary = data; state.binary = data; },
      };
      put('item', whole.json);
      put('index', index);
      put('getBinaryData', own.getBinaryData);
      put('setBinaryData', own.setBinaryData);
    } else {
      later('items', () => all(list));
    }
    const self = new Proxy({}, { get: (_, name) => own?.[name] ?? outside().context[name] });
    run.call(self).then(
      (value) => { state.value = value; state.done = true; },
      (error) => { state.value = error; state.failed = true; state.done = true; },
    );
    return state;
  };
  // Milliseconds until the next timer, or -1; then `fire` runs it.
  const next = () => timers.reduce((least, timer) => (least < 0 || timer.at < least ? timer.at : least), -1);
  const fire = () => {
    const delay = next();
    const [timer] = timers.splice(timers.findIndex((timer) => timer.at === delay), 1);
    for (const other of timers) other.at -= delay;
    timer.run(...timer.given);
  };
  return { start, next, fire, changedStatics: () => (loaded === undefined ? undefined : loaded.changedStatics()) };
})
