#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A running `gaze serve`, driven by OpenAI's own Python client.

    pip install openai
    ./run serve --model FOLDER --port 8080 &
    python3 bench/peers/check_serve.py http://127.0.0.1:8080/v1

Checks the list of models, whole and streamed answers, stop strings, seeds, choices,
log-probabilities, usage, errors, several clients at once, and streams that the client leaves. Prints
one line per check, and exits with 1 if one failed.
"""
import argparse
import concurrent.futures
import math
import sys
import time
import traceback

import openai

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Server:
    """A client, its model, and one question to it."""

    def __init__(self, url):
        self.client = openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=600)
        self.model = self.client.models.list().data[0].id

    def ask(self, question="Why is the sky blue?", **options):
        settings = {"model": self.model, "max_tokens": 24, "temperature": 0, **options}
        return self.client.chat.completions.create(
            messages=[{"role": "user", "content": question}], **settings)

    def text(self, **options):
        return self.ask(**options).choices[0].message.content


def collect(stream):
    """Text and finish reason of every choice, all tokens with log-probabilities, and the usage."""
    texts, finished, tokens, usage = {}, {}, [], None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
            tokens += choice.logprobs.content if choice.logprobs else []
            if choice.finish_reason:
                assert choice.index not in finished, "a choice finished twice"
                finished[choice.index] = choice.finish_reason
    return texts, finished, tokens, usage


@check
def models(server):
    model = server.client.models.retrieve(server.model)
    assert model.id == server.model and model.object == "model" and model.created > 0
    try:
        server.client.models.retrieve("no-such-model")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found"
    else:
        raise AssertionError("an unknown model was found")


@check
def whole(server):
    answer = server.ask()
    choice = answer.choices[0]
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.finish_reason in ("stop", "length") and choice.logprobs is None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert 0 < answer.usage.completion_tokens <= 24
    assert server.text() == choice.message.content, "greedy answers differ"


@check
def stream(server):
    answer = server.ask()
    texts, finished, _, usage = collect(
        server.ask(stream=True, stream_options={"include_usage": True}))
    assert texts == {0: answer.choices[0].message.content}
    assert finished == {0: answer.choices[0].finish_reason}
    assert usage == answer.usage
    assert collect(server.ask(stream=True))[3] is None, "usage without being asked for"


@check
def stop(server):
    text = server.text()
    for start, end in ((5, 9), (len(text) // 2, len(text) // 2 + 3), (0, 2)):
        word = text[start:end]
        answer = server.ask(stop=[word, "\x7f never \x7f"])
        assert answer.choices[0].message.content == text[:text.index(word)]
        assert answer.choices[0].finish_reason == "stop"
        texts, finished, _, _ = collect(server.ask(stop=word, stream=True))
        assert texts[0] == text[:text.index(word)] and finished[0] == "stop"


@check
def seed(server):
    sampled = {"temperature": 1, "top_p": 0.95}
    one = server.text(seed=5, **sampled)
    assert one == server.text(seed=5, **sampled), "a seed does not repeat"
    assert len({one} | {server.text(seed=i, **sampled) for i in (6, 7, 8)}) > 1
    assert one == collect(server.ask(seed=5, stream=True, **sampled))[0][0]


@check
def choices(server):
    answer = server.ask(n=3, seed=1, temperature=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1
    texts, finished, _, _ = collect(server.ask(n=3, seed=1, temperature=1, stream=True))
    assert [texts[i] for i in range(3)] == [c.message.content for c in answer.choices]
    assert sorted(finished) == [0, 1, 2]


@check
def logprobs(server):
    answer = server.ask(logprobs=True, top_logprobs=5)
    tokens = answer.choices[0].logprobs.content
    assert b"".join(bytes(t.bytes) for t in tokens).decode() == answer.choices[0].message.content
    for token in tokens:
        values = [top.logprob for top in token.top_logprobs]
        assert len(values) == 5 and values == sorted(values, reverse=True)
        assert token.logprob == values[0] <= 0, "a greedy token is not the likeliest"
        assert sum(map(math.exp, values)) < 1 + 1e-6
    assert collect(server.ask(logprobs=True, top_logprobs=5, stream=True))[2] == tokens


@check
def errors(server):
    tool = {"type": "function", "function": {"name": "f"}}
    for options in ({"n": 9}, {"temperature": 3}, {"presence_penalty": 1}, {"tools": [tool]},
                    {"logprobs": True, "top_logprobs": 21}, {"max_tokens": 10**9},
                    {"response_format": {"type": "json_object"}}):
        try:
            server.ask(**options)
        except openai.BadRequestError as error:
            assert error.param in options, f"{error.param} is not of {options}"
        else:
            raise AssertionError(f"{options} was accepted")


@check
def together(server):
    def one(i):
        return server.ask(f"Count to {i}.", stream=i % 2 == 0, seed=i, temperature=1)

    def text(answer):
        return collect(answer)[0][0] if isinstance(answer, openai.Stream) else \
            answer.choices[0].message.content

    alone = [text(one(i)) for i in range(1, 7)]
    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        among = list(threads.map(lambda i: text(one(i)), range(1, 7)))
    assert alone == among, "an answer depends on the other requests"


@check
def leave(server):
    streams = [server.ask(stream=True, max_tokens=200) for _ in range(3)]
    for one in streams:
        next(iter(one))
        one.close()
    health = str(server.client.base_url).removesuffix("/v1/") + "/health"
    for _ in range(600):
        state = server.client.get(health, cast_to=object)
        if state["running"] == 0:
            return
        time.sleep(0.1)
    raise AssertionError("abandoned answers are still generated")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="the server's base URL, such as http://127.0.0.1:8080/v1")
    server = Server(parser.parse_args().url)
    print("openai", openai.__version__, "with model", server.model)
    failed = 0
    for function in CHECKS:
        try:
            function(server)
            print(f"{function.__name__}: ok", flush=True)
        except Exception:  # any failure of one check, then the others
            failed += 1
            print(f"{function.__name__}: FAILED\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
