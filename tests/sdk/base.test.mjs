// The published JavaScript client, unmodified, against this server. It is pointed here by the environment variables
// DETA_BASE_HOST and NODE_EXTRA_CA_CERTS alone; DETA_TEST_KEY is the data key of an empty collection.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Base, Deta } from "deta";

const PROJECT_KEY = process.env.DETA_TEST_KEY;
let bases = 0;

function newBase() {
  bases += 1;
  return Deta(PROJECT_KEY).Base(`base-${bases}`);
}

// The client throws plain errors whose message is all a caller has to go by.
async function message(promise) {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (reason) => reason,
  );
  assert.ok(error instanceof Error);
  return error.message;
}

async function poll(condition) {
  for (let n = 0; n < 400; n += 1) {
    if (await condition()) return;
    await pause(10);
  }
  assert.fail("it never came true");
}

const keysOf = ({ items }) => items.map((item) => item.key);
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe("put", () => {
  const db = newBase();

  const values = [
    ["a text", "hello"],
    ["a number", 7],
    ["a fraction", 0.1],
    ["a boolean", true],
    ["null", null],
    ["a list", ["a", 1, { b: null }]],
  ];
  for (const [name, value] of values) {
    test(`wraps ${name} as value`, async () => {
      assert.deepEqual(await db.put(value, "wrapped"), { key: "wrapped", value });
      assert.deepEqual(await db.get("wrapped"), { key: "wrapped", value });
    });
  }

  test("stores an object under the key it is given", async () => {
    assert.deepEqual(await db.put({ name: "alex", deep: { age: 77 } }, "one"), {
      key: "one",
      name: "alex",
      deep: { age: 77 },
    });
    assert.deepEqual(await db.get("one"), { key: "one", name: "alex", deep: { age: 77 } });
  });

  test("stores an object under the key it carries", async () => {
    assert.deepEqual(await db.put({ key: "two", n: 1 }), { key: "two", n: 1 });
  });

  test("gets a generated key of 12 characters", async () => {
    const item = await db.put({ n: 1 });
    assert.match(item.key, /^[a-z0-9]{12}$/);
    assert.deepEqual(await db.get(item.key), item);
  });

  test("replaces what was there", async () => {
    await db.put({ a: 1, b: 2 }, "replaced");
    assert.deepEqual(await db.put({ c: 3 }, "replaced"), { key: "replaced", c: 3 });
    assert.deepEqual(await db.get("replaced"), { key: "replaced", c: 3 });
  });

  test("answers null for an item that failed inside", async () => {
    assert.equal(await db.put({ "": 1 }, "failed"), null);
    assert.equal(await db.get("failed"), null);
  });

  test("is refused a key that is no text, and an item over 400 KB", async () => {
    assert.notEqual(await message(db.put({ key: 5 })), "Something went wrong");
    assert.notEqual(await message(db.put({ text: "x".repeat(410_000) })), "Something went wrong");
  });
});

describe("putMany", () => {
  const db = newBase();

  test("answers the items in the order they were sent", async () => {
    assert.deepEqual(await db.putMany([{ key: "b", n: 1 }, { key: "a" }, { key: "c", l: [] }]), {
      processed: { items: [{ key: "b", n: 1 }, { key: "a" }, { key: "c", l: [] }] },
    });
  });

  test("wraps plain values and generates their keys", async () => {
    const { processed } = await db.putMany(["x", 1, true]);
    assert.deepEqual(
      processed.items.map((item) => item.value),
      ["x", 1, true],
    );
  });

  test("takes 25 items", async () => {
    const items = Array.from({ length: 25 }, (_, n) => ({ key: `many-${n}` }));
    assert.deepEqual((await db.putMany(items)).processed.items, items);
  });

  test("reports items that failed inside and stores the others", async () => {
    assert.deepEqual(await db.putMany([{ key: "good" }, { key: "bad", "": 1 }]), {
      processed: { items: [{ key: "good" }] },
      failed: { items: [{ key: "bad", "": 1 }] },
    });
  });

  test("is refused as a whole when two items have one key", async () => {
    assert.notEqual(await message(db.putMany([{ key: "twice" }, { key: "twice" }])), "Something went wrong");
    assert.equal(await db.get("twice"), null);
  });

  test("is checked by the client itself", async () => {
    assert.equal(await message(db.putMany([])), "Items can't be empty");
    assert.equal(await message(db.putMany("x")), "Items must be an array");
    const items = Array.from({ length: 26 }, (_, n) => n);
    assert.equal(await message(db.putMany(items)), "We can't put more than 25 items at a time");
  });
});

describe("get and delete", () => {
  const db = newBase();

  for (const key of ["plain", "%@#//#!#)#$_", "a/b", "ä ö", "日本", "🙂", "a+b", "a?b=c", "100%25"]) {
    test(`find the key ${key}`, async () => {
      assert.deepEqual(await db.put({ n: 1 }, key), { key, n: 1 });
      assert.deepEqual(await db.get(key), { key, n: 1 });
      assert.equal(await db.delete(key), null);
      assert.equal(await db.get(key), null);
    });
  }

  test("answer null for what is not there", async () => {
    assert.equal(await db.get("never"), null);
    assert.equal(await db.delete("never"), null);
  });

  test("answer null from a Base that does not exist", async () => {
    const none = newBase();
    assert.equal(await none.get("a"), null);
    assert.equal(await none.delete("a"), null);
    assert.deepEqual(await none.fetch(), { items: [], count: 0, last: undefined });
  });

  test("refuse an empty key", async () => {
    assert.equal(await message(db.get(" ")), "Key is empty");
    assert.equal(await message(db.delete("")), "Key is empty");
  });
});

describe("insert", () => {
  const db = newBase();

  test("stores an item", async () => {
    assert.deepEqual(await db.insert({ n: 1 }, "a"), { key: "a", n: 1 });
    assert.deepEqual(await db.insert("text", "b"), { key: "b", value: "text" });
    assert.match((await db.insert({ n: 1 })).key, /^[a-z0-9]{12}$/);
  });

  test("says that the key exists, and leaves its item alone", async () => {
    await db.put({ n: 1 }, "taken");
    assert.equal(await message(db.insert({ n: 2 }, "taken")), "Item with key taken already exists");
    // 1.2 knows the key by its argument alone.
    const named = process.env.DETA_TEST_VERSION.startsWith("1.") ? undefined : "taken";
    assert.equal(await message(db.insert({ key: "taken", n: 2 })), `Item with key ${named} already exists`);
    assert.deepEqual(await db.get("taken"), { key: "taken", n: 1 });
  });
});

describe("fetch", () => {
  const db = newBase();
  const people = [
    { key: "beverly", name: "Beverly", age: 51, active: true, tags: ["doctor", "crew"], home: { city: "Copernicus" } },
    { key: "kevin", name: "Kevin", age: 43, active: false, tags: ["player"], home: { city: "Greenville" } },
    { key: "wesley", name: "Wesley", age: 27, tags: [], home: { city: "San Francisco" }, email: "wesley@deta.sh" },
  ];
  before(() => db.putMany(people));

  const queries = [
    [undefined, "beverly kevin wesley"],
    [{}, "beverly kevin wesley"],
    [[], "beverly kevin wesley"],
    [[{}], "beverly kevin wesley"],
    [{ key: "kevin" }, "kevin"],
    [{ "key?pfx": "w" }, "wesley"],
    [{ "key?>": "kevin" }, "wesley"],
    [{ "key?gt": "kevin" }, "wesley"],
    [{ "key?>=": "kevin" }, "kevin wesley"],
    [{ "key?gte": "kevin" }, "kevin wesley"],
    [{ "key?<": "kevin" }, "beverly"],
    [{ "key?lt": "kevin" }, "beverly"],
    [{ "key?<=": "kevin" }, "beverly kevin"],
    [{ "key?lte": "kevin" }, "beverly kevin"],
    [{ "key?r": ["a", "kevin"] }, "beverly kevin"],
    [{ name: "Wesley" }, "wesley"],
    [{ "name?eq": "Wesley" }, "wesley"],
    [{ age: 27, name: "Wesley" }, "wesley"],
    [{ active: false }, "kevin"],
    [{ home: { city: "Greenville" } }, "kevin"],
    [{ "home.city": "Greenville" }, "kevin"],
    [{ tags: ["player"] }, "kevin"],
    [{ tags: [] }, "wesley"],
    [{ "age?ne": 51 }, "kevin wesley"],
    [{ "age?!=": 51 }, "kevin wesley"],
    [{ "active?ne": true }, "kevin wesley"],
    [{ "age?lt": 43 }, "wesley"],
    [{ "age?<": 43 }, "wesley"],
    [{ "age?lte": 43 }, "kevin wesley"],
    [{ "age?<=": 43 }, "kevin wesley"],
    [{ "age?gt": 43 }, "beverly"],
    [{ "age?>": 43 }, "beverly"],
    [{ "age?gte": 43 }, "beverly kevin"],
    [{ "age?>=": 43 }, "beverly kevin"],
    [{ "age?gt": "43" }, ""],
    [{ "age?r": [27, 43] }, "kevin wesley"],
    [{ "name?r": ["A", "L"] }, "beverly kevin"],
    [{ "home.city?pfx": "San" }, "wesley"],
    [{ "email?contains": "@deta" }, "wesley"],
    [{ "tags?contains": "crew" }, "beverly"],
    [{ "email?not_contains": "@deta" }, "beverly kevin"],
    [{ "tags?!contains": "crew" }, "kevin wesley"],
    [[{ "age?gt": 50 }, { "home.city": "Greenville" }], "beverly kevin"],
    [
      [
        { "key?>=": "c", "age?>": 40 },
        { "key?>=": "c", "age?<": 30 },
      ],
      "kevin wesley",
    ],
    [{ nothing: "here" }, ""],
  ];
  for (const [query, keys] of queries) {
    test(`of ${JSON.stringify(query)} finds ${keys || "nothing"}`, async () => {
      const expected = people.filter((person) => keys.split(" ").includes(person.key));
      assert.deepEqual(await db.fetch(query), { items: expected, count: expected.length, last: undefined });
    });
  }

  test("sorts descending", async () => {
    assert.deepEqual(keysOf(await db.fetch({}, { desc: true })), ["wesley", "kevin", "beverly"]);
  });

  test("has a last only when more may follow", async () => {
    const first = await db.fetch({ "age?ne": 51 }, { limit: 1 });
    assert.deepEqual([keysOf(first), first.last], [["kevin"], "kevin"]);
    const second = await db.fetch({ "age?ne": 51 }, { limit: 1, last: first.last });
    assert.deepEqual([keysOf(second), second.last], [["wesley"], undefined]);
    assert.equal((await db.fetch({}, { limit: 3 })).last, undefined);
  });

  const malformed = [
    { "name?": "x" },
    { "name??": "x" },
    { "?": "x" },
    { "name?random": "x" },
    { "name?pfx": 12 },
    { "age?r": [1] },
    { "age?r": [] },
    { "age?r": 21 },
    { "key?contains": "k" },
    { "key?ne": "kevin" },
    { "key?>": 1 },
    { "key?r": ["a"] },
    { "key?pfx": 1 },
    { key: {} },
    { key: null },
    [{ key: "kevin" }, { key: "wesley" }],
    [{ key: "kevin" }, { name: "Wesley" }],
    [{ "key?>": "a", "key?<": "z" }],
  ];
  for (const query of malformed) {
    test(`of ${JSON.stringify(query)} is a bad query`, async () => {
      assert.equal(await message(db.fetch(query)), "Bad query");
    });
  }

  test("pages to the end", async () => {
    const paged = newBase();
    const expected = [];
    for (let start = 0; start < 100; start += 25) {
      const items = Array.from({ length: 25 }, (_, n) => ({
        key: String(start + n).padStart(3, "0"),
        even: n % 2 === 0,
      }));
      await paged.putMany(items);
      expected.push(...items);
    }
    for (const [query, wanted] of [
      [{}, expected],
      [{ even: true }, expected.filter((item) => item.even)],
    ]) {
      for (const desc of [false, true]) {
        let page = await paged.fetch(query, { limit: 7, desc });
        const found = [...page.items];
        while (page.last) {
          page = await paged.fetch(query, { limit: 7, last: page.last, desc });
          found.push(...page.items);
        }
        assert.deepEqual(found, desc ? (wanted.toReversed?.() ?? [...wanted].reverse()) : wanted);
      }
    }
  });
});

describe("update", () => {
  const db = newBase();
  const { util } = db;
  const jimmy = {
    username: "jimmy",
    profile: { age: 32, active: false, hometown: "pittsburgh" },
    on_mobile: true,
    likes: ["anime"],
    dislikes: ["comedy"],
    purchases: 1,
  };

  test("sets, trims, increments, appends and prepends at once", async () => {
    await db.put(jimmy, "all");
    assert.equal(
      await db.update(
        {
          "profile.age": 33,
          "profile.active": true,
          "profile.email": "jimmy@deta.sh",
          "profile.hometown": util.trim(),
          on_mobile: util.trim(),
          purchases: util.increment(2),
          likes: util.append("ramen"),
          dislikes: util.prepend("action"),
        },
        "all",
      ),
      null,
    );
    assert.deepEqual(await db.get("all"), {
      key: "all",
      username: "jimmy",
      profile: { age: 33, active: true, email: "jimmy@deta.sh" },
      likes: ["anime", "ramen"],
      dislikes: ["action", "comedy"],
      purchases: 3,
    });
  });

  const single = [
    ["set", { username: "james" }, { username: "james" }],
    ["set null", { username: null }, { username: null }],
    ["increment by one", { purchases: util.increment() }, { purchases: 2 }],
    ["decrement", { purchases: util.increment(-3) }, { purchases: -2 }],
    ["increment by a fraction", { purchases: util.increment(0.5) }, { purchases: 1.5 }],
    ["increment below", { "profile.age": util.increment(1) }, { profile: { ...jimmy.profile, age: 33 } }],
    ["append a list", { likes: util.append(["a", "b"]) }, { likes: ["anime", "a", "b"] }],
    ["prepend a list", { likes: util.prepend(["a", "b"]) }, { likes: ["a", "b", "anime"] }],
  ];
  for (const [name, updates, changed] of single) {
    test(name, async () => {
      await db.put(jimmy, "one");
      assert.equal(await db.update(updates, "one"), null);
      assert.deepEqual(await db.get("one"), { key: "one", ...jimmy, ...changed });
    });
  }

  test("says that the key was not found", async () => {
    assert.equal(await message(db.update({ a: 1 }, "never")), "Key not found");
  });

  const refused = [
    ["nothing", {}],
    ["the key", { key: "other" }],
    ["a missing level", { "no.a": 1 }],
    ["an increment of a text", { username: util.increment() }],
    ["an increment of nothing", { no: util.increment() }],
    ["an append to a number", { purchases: util.append(1) }],
    ["a prepend to nothing", { no: util.prepend(1) }],
    ["conflicting attributes", { profile: {}, "profile.age": 1 }],
  ];
  for (const [name, updates] of refused) {
    test(`is refused: ${name}`, async () => {
      await db.put(jimmy, "refused");
      const told = await message(db.update(updates, "refused"));
      assert.notEqual(told, "Something went wrong");
      assert.deepEqual(await db.get("refused"), { key: "refused", ...jimmy });
    });
  }
});

describe("expiry", () => {
  const db = newBase();

  test("expireIn and expireAt store the second it ends", async () => {
    const before = nowSeconds();
    const item = await db.put({ n: 1 }, "in", { expireIn: 100 });
    assert.ok(item.__expires >= before + 100 && item.__expires <= nowSeconds() + 100);
    assert.deepEqual(await db.get("in"), item);

    const date = new Date(Date.now() + 60_000);
    const end = Math.floor(date.getTime() / 1000);
    assert.deepEqual(await db.put({ n: 1 }, "at", { expireAt: date }), { key: "at", n: 1, __expires: end });
    assert.deepEqual(await db.insert({ n: 1 }, "insert", { expireAt: end }), { key: "insert", n: 1, __expires: end });
    const { processed } = await db.putMany([{ key: "many" }], { expireAt: end });
    assert.deepEqual(processed.items, [{ key: "many", __expires: end }]);
  });

  test("an item stored with now is there until its second is over", async () => {
    await poll(() => Date.now() % 1000 < 300);
    await db.put({ n: 1 }, "now", { expireAt: new Date() });
    assert.equal((await db.get("now")).n, 1);

    await poll(async () => (await db.get("now")) === null);
    assert.ok(!keysOf(await db.fetch()).includes("now"));
    assert.equal(await message(db.update({ n: 2 }, "now")), "Key not found");
    assert.deepEqual(await db.insert({ n: 2 }, "now"), { key: "now", n: 2 });
  });

  test("an item already expired is stored and gone", async () => {
    assert.deepEqual(await db.put({ n: 1 }, "past", { expireIn: -300 }).then((item) => item.key), "past");
    assert.equal(await db.get("past"), null);
  });

  test("an update renews it, other updates leave it", async () => {
    await db.put({ n: 1 }, "renewed", { expireIn: 50 });
    await db.update({}, "renewed", { expireAt: 4102444800 });
    assert.deepEqual(await db.get("renewed"), { key: "renewed", n: 1, __expires: 4102444800 });
    await db.update({ n: db.util.increment() }, "renewed");
    assert.deepEqual(await db.get("renewed"), { key: "renewed", n: 2, __expires: 4102444800 });
    await db.update({ n: 0 }, "renewed", { expireIn: -10 });
    assert.equal(await db.get("renewed"), null);
  });

  test("options that make no sense are refused by the client itself", async () => {
    assert.equal(
      await message(db.put(1, "x", { expireIn: 1, expireAt: 1 })),
      "can't set both expireIn and expireAt options",
    );
    assert.equal(
      await message(db.put(1, "x", { expireIn: "1" })),
      "option expireIn should have a value of type number",
    );
  });
});

describe("data keys", () => {
  const [projectId] = PROJECT_KEY.split("_");

  test("a wrong one is Unauthorized", async () => {
    const db = Deta(`${projectId}_${"A".repeat(32)}`).Base("base");
    assert.equal(await message(db.get("a")), "Unauthorized");
    assert.equal(await message(db.put({ a: 1 })), "Unauthorized");
    assert.equal(await message(db.insert({ a: 1 })), "Unauthorized");
    assert.equal(await message(db.update({ a: 1 }, "a")), "Unauthorized");
    assert.equal(await message(db.delete("a")), "Unauthorized");
    assert.equal(await message(db.fetch()), "Unauthorized");
  });

  test("a read-only one is Forbidden to write", async () => {
    const db = Deta(process.env.DETA_TEST_READ_KEY).Base("base");
    assert.equal(await message(db.put({ a: 1 })), "Forbidden");
    assert.deepEqual(await db.fetch(), { items: [], count: 0, last: undefined });
  });

  test("an illegal name of a Base is refused with a reason", async () => {
    assert.notEqual(await message(Deta(PROJECT_KEY).Base("a b").fetch()), "Something went wrong");
  });

  test("the environment's one is used when none is given", async () => {
    process.env.DETA_PROJECT_KEY = PROJECT_KEY;
    assert.deepEqual(await Base("base-env").put(1, "a"), { key: "a", value: 1 });
  });
});

test("100 requests one after the other, and 50 at once", async () => {
  const db = newBase();
  for (let n = 0; n < 100; n += 1) assert.equal((await db.put({ n }, "same")).n, n);
  const items = await Promise.all(Array.from({ length: 50 }, (_, n) => db.put({ n }, `k${n}`)));
  assert.deepEqual(
    items.map((item) => item.n),
    Array.from({ length: 50 }, (_, n) => n),
  );
});
