"""A real server of the protocol with a tiny model, and a proxy that spoils some of its answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Lock, Thread
from typing import Any

SENTENCE = "honestly this is such a fine old film"
"""What the tiny model says, whatever it is asked."""
FAULTS = ("500", "429", "broken", "empty", "null", "closed")


def build_tiny_model(folder: Path) -> None:
    """Write a Llama model of one-hot embeddings, whose next word depends on the last one only."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", "assistant", *SENTENCE.split()]
    words += [f"<{number}>" for number in range(len(words), 32)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        pad_token="</s>",
    )  # fmt: skip
    fast.chat_template = (
        "{% for one in messages %}{{ one['role'] }} : {{ one['content'] }} {% endfor %} assistant"
    )
    size = len(words)
    network = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size, hidden_size=size, intermediate_size=8, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=512,
            bos_token_id=1, eos_token_id=2, pad_token_id=2, tie_word_embeddings=False,
        )
    )  # fmt: skip
    chain = [vocabulary[word] for word in ("assistant", *SENTENCE.split(), "</s>")]
    with torch.no_grad():
        network.model.embed_tokens.weight.copy_(torch.eye(size))
        network.model.layers[0].self_attn.o_proj.weight.zero_()
        network.model.layers[0].mlp.down_proj.weight.zero_()
        network.lm_head.weight.zero_()
        for last, following in pairwise(chain):
            network.lm_head.weight[following, last] = 20.0
    network.save_pretrained(folder)
    fast.save_pretrained(folder)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def serving(folder: Path, log: Path, *, patience: float = 400) -> Iterator[str]:
    """Run ``transformers serve`` with a model; yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    words = ["-m", "transformers.cli.transformers", "serve", str(folder), "--device", "cpu"]
    settings = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, *words, "--port", str(port), "--host", "127.0.0.1"],
            stdout=file, stderr=subprocess.STDOUT, env=settings,
        )  # fmt: skip
    try:
        end = time.monotonic() + patience
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=10).read()
                break
            except OSError:
                assert server.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < end, log.read_text()[-2000:]
                time.sleep(1)
        yield address
    finally:
        server.terminate()
        server.wait(60)


class SpoilingProxy:
    """Passes requests on to a server, and spoils every ``each``-th answer in turn."""

    def __init__(self, target: str, *, each: int = 10) -> None:
        self.target, self.each = target, each
        self.requests: list[str] = []
        self.good: Counter[str] = Counter()
        self.lock = Lock()

    @contextmanager
    def running(self) -> Iterator[str]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with proxy.lock:
                    number = len(proxy.requests)
                    proxy.requests.append(json.loads(body)["messages"][-1]["content"])
                count, spoiled = divmod(number, proxy.each)
                fault = FAULTS[count % len(FAULTS)] if spoiled == proxy.each - 1 else ""
                proxy.reply(self, body, fault)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            server.server_close()

    def reply(self, handler: BaseHTTPRequestHandler, body: bytes, fault: str) -> None:
        if fault == "closed":
            handler.close_connection = True
            return
        status, content = 200, b""
        if fault in ("500", "429"):
            status, content = int(fault), b'{"error": {"message": "out of order"}}'
        elif fault == "broken":
            content = b'{"choices": [{"message": {"content": "honest'
        elif fault:
            choice = {"message": {"role": "assistant", "content": None}, "index": 0}
            choices = [] if fault == "empty" else [choice]
            content = json.dumps({"id": "x", "object": "chat.completion", "created": 1,
                                  "model": "x", "choices": choices}).encode()  # fmt: skip
        else:
            content = self.passed(body)
            with self.lock:
                self.good[json.loads(body)["messages"][-1]["content"]] += 1
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        if status == 429:
            handler.send_header("retry-after", "0")
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def passed(self, body: bytes) -> bytes:
        request = urllib.request.Request(
            f"{self.target}/v1/chat/completions", body, {"content-type": "application/json"}
        )
        answer: bytes = urllib.request.urlopen(request, timeout=120).read()
        return answer


class Scripted(SpoilingProxy):
    """A stand-in for a server: a function of the text and the seed says what it answers."""

    def __init__(self, answer: Any, *, each: int = 10**9) -> None:
        super().__init__("", each=each)
        self.answer = answer
        self.status = 200

    def reply(self, handler: BaseHTTPRequestHandler, body: bytes, fault: str) -> None:
        if self.status == 200:
            return super().reply(handler, body, fault)
        content = b'{"error": {"message": "no such key"}}'
        handler.send_response(self.status)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def passed(self, body: bytes) -> bytes:
        asked = json.loads(body)
        text = self.answer(asked["messages"][-1]["content"], asked["seed"])
        finish = "length" if text.endswith("…") else "stop"
        message = {"role": "assistant", "content": text}
        return json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
        }).encode()  # fmt: skip
