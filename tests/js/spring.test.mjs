import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createSpring } from "../../static/js/lib/spring.js";

function springAndClock() {
  mock.timers.enable({ apis: ["setTimeout"] });
  const opened = [];
  return { spring: createSpring((name) => opened.push(name), 800), opened, pass: (ms) => mock.timers.tick(ms) };
}

test("a folder opens after a while, once, however often it is said that it is held there", (t) => {
  t.after(() => mock.timers.reset());
  const { spring, opened, pass } = springAndClock();
  for (let ms = 0; ms < 1000; ms += 50) {
    spring.hold("a/", { x: 10, y: 10 });
    pass(50);
  }
  assert.deepEqual(opened, ["a/"]);
});

test("another folder, nothing, or a cancel begins anew", (t) => {
  t.after(() => mock.timers.reset());
  const { spring, opened, pass } = springAndClock();
  spring.hold("a/", { x: 0, y: 0 });
  pass(700);
  spring.hold("b/", { x: 0, y: 30 });
  pass(700);
  spring.hold(null, { x: 0, y: 60 });
  pass(2000);
  spring.hold("c/", { x: 0, y: 90 });
  spring.cancel();
  pass(2000);
  assert.deepEqual(opened, []);
  spring.hold("c/", { x: 0, y: 90 });
  pass(800);
  assert.deepEqual(opened, ["c/"]);
});

test("what comes to lie under a still hand opens only when the hand has moved", (t) => {
  t.after(() => mock.timers.reset());
  const { spring, opened, pass } = springAndClock();
  spring.hold("a/", { x: 10, y: 10 });
  pass(800);
  spring.hold("a/b/", { x: 11, y: 12 });
  pass(2000);
  assert.deepEqual(opened, ["a/"]);
  spring.hold("a/b/", { x: 20, y: 12 });
  pass(800);
  assert.deepEqual(opened, ["a/", "a/b/"]);
});
