// All names of extension methods.
export default (load) => {
  const own = { Object, Reflect, Proxy, Function };
  const parts = {};
  const part = (name) => (parts[name] ??= load(name)(part, load, own));
  parts.zone = () => 'UTC';
  return ['arrays', 'booleans', 'dates', 'numbers', 'objects', 'strings'].flatMap((type) => Object.keys(part(type).functions));
};
