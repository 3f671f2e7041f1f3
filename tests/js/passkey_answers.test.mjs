/** Passkeys on their way between the server and the browser. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeFault, readQuestion, toBytes, toText, writeAnswer } from "../../static/js/lib/passkey_answers.js";

const bytes = (...values) => new Uint8Array(values);

test("bytes become base64url and are the same again", () => {
  for (const [value, text] of [
    [[], ""],
    [[0], "AA"],
    [[255, 254, 253], "__79"],
    [[251, 239, 190], "----"],
  ]) {
    assert.equal(toText(bytes(...value)), text);
    assert.deepEqual(toBytes(text), bytes(...value));
  }
});

test("a question for a new passkey has bytes where the browser wants them", () => {
  const question = {
    publicKey: {
      challenge: "AAE",
      user: { id: "Ag", name: "ada" },
      excludeCredentials: [{ id: "_w", type: "public-key" }],
    },
  };
  assert.deepEqual(readQuestion(question), {
    publicKey: {
      challenge: bytes(0, 1),
      user: { id: bytes(2), name: "ada" },
      excludeCredentials: [{ id: bytes(255), type: "public-key" }],
    },
  });
  assert.equal(question.publicKey.challenge, "AAE");
});

test("a question for a passkey of anybody's has no list", () => {
  assert.deepEqual(readQuestion({ publicKey: { challenge: "AA", rpId: "localhost" } }), {
    publicKey: { challenge: bytes(0), rpId: "localhost" },
  });
});

test("an answer is JSON of what the browser gave, and of nothing else", () => {
  const credential = {
    id: "AQ",
    rawId: bytes(1).buffer,
    type: "public-key",
    response: { clientDataJSON: bytes(2).buffer, signature: bytes(3).buffer, userHandle: null, other: 1 },
    getClientExtensionResults: () => ({ credProps: { rk: true } }),
  };
  assert.deepEqual(JSON.parse(writeAnswer(credential)), {
    id: "AQ",
    rawId: "AQ",
    type: "public-key",
    response: { clientDataJSON: "Ag", signature: "Aw" },
    clientExtensionResults: { credProps: { rk: true } },
  });
});

test("transports go along where the browser tells them", () => {
  const response = { getTransports: () => ["internal"] };
  const credential = {
    id: "AQ",
    rawId: bytes(1).buffer,
    type: "public-key",
    response,
    getClientExtensionResults: () => ({}),
  };
  assert.deepEqual(JSON.parse(writeAnswer(credential)).response, { transports: ["internal"] });
});

test("what went wrong is said in words", () => {
  assert.match(describeFault({ name: "InvalidStateError" }), /has a passkey/);
  assert.match(describeFault({ name: "NotAllowedError" }), /cancelled/);
  assert.match(describeFault({ name: "SecurityError" }), /https/);
  assert.equal(describeFault({ name: "Odd" }), "The browser gave no passkey.");
});
