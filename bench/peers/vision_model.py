#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models that see in Gaze and transformers: one tile's tower, time to the first token, decoding.

    pip install torch transformers "pillow<13"
    python3 bench/peers/vision_model.py smolvlm|granite FOLDER [--picture 1024x768] [--rounds 3]
                        [--threads 1,2] [--precision bf16] [--works tower,first_whole]

FOLDER comes from make_vision_model.py. Runs alternate on the same picture and the same number of
tokens; the best of the rounds is printed, because other load only ever adds time. Work: tower, the
decoder's rows of one tile; first_split and first_whole, from a decoded picture, with and without
splitting it, to the first token of an answer (its preparation, tower and prompt); decode, 32 greedy
tokens after it (of the unsplit picture where that is possible). Then the peak memory of each.
"""
import argparse
import json
import pathlib
import platform
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANSWER = 32
TEMPLATE = "<|user|>\n<image>\n{question}\n<|assistant|>\n"


class Gaze:
    def __init__(self, program, a, picture, place):
        extra = []
        if a.model == "granite":
            (place / "template.txt").write_text(TEMPLATE)
            extra = [place / "template.txt"]
        self.process = subprocess.Popen([program, "--serve", a.folder, a.precision, picture, *extra],
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def seconds(self, work, threads):
        self.process.stdin.write(f"{work} {threads}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def memory(self):
        return self.seconds("memory", 1)


class Transformers:
    def __init__(self, a, picture):
        import torch
        from PIL import Image
        from transformers import AutoModelForImageTextToText
        self.torch = torch
        self.dtype = torch.float32 if a.precision == "float32" else torch.bfloat16
        self.model = AutoModelForImageTextToText.from_pretrained(a.folder, dtype=self.dtype).eval()
        self.picture = Image.open(picture).convert("RGB")
        self.family = a.model
        self.processor = (idefics3 if a.model == "smolvlm" else llava_next)(a.folder)

    def tower(self):
        side = self.model.config.vision_config.image_size
        values = self.torch.full((1, 3, side, side), 0.5, dtype=self.dtype)
        model = self.model.model
        if self.family == "smolvlm":
            return lambda: model.get_image_features(values[None])

        def run():  # get_image_features() takes no tile without its whole picture
            blocks = model.vision_tower(values, output_hidden_states=True).hidden_states
            layers = self.model.config.vision_feature_layer
            return model.multi_modal_projector(self.torch.cat([blocks[i] for i in layers], -1))
        return run

    def first(self, split):
        if self.family == "smolvlm":
            self.processor.image_processor.do_image_splitting = split
            text = ("<|im_start|>User:<image>What is shown?<end_of_utterance>\nAssistant:")
        else:
            text = TEMPLATE.replace("{question}", "What is shown?")
        inputs = self.processor(text=text, images=[self.picture], return_tensors="pt")
        inputs["pixel_values"] = inputs["pixel_values"].to(self.dtype)
        return self.model(**inputs, use_cache=True, logits_to_keep=1)

    def seconds(self, work, threads):
        self.torch.set_num_threads(threads)
        with self.torch.inference_mode():
            if work == "tower":
                run = self.tower()
                start = time.perf_counter()
                run()
                return time.perf_counter() - start
            start = time.perf_counter()
            out = self.first(work == "first_split")
            if work != "decode":
                return time.perf_counter() - start
            start = time.perf_counter()
            for _ in range(ANSWER):
                ids = out.logits[:, -1].argmax(-1, keepdim=True)
                out = self.model(input_ids=ids, past_key_values=out.past_key_values, use_cache=True)
            return time.perf_counter() - start

    def memory(self):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def settings_of(folder):
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    settings.pop("image_processor_type")
    return settings, json.loads((folder / "config.json").read_text())


def idefics3(folder):
    from transformers import Idefics3Processor, PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
    settings, config = settings_of(folder)
    vision = config["vision_config"]
    tokens = (vision["image_size"] // vision["patch_size"] // config["scale_factor"]) ** 2
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"),
                                        bos_token="<|im_start|>", eos_token="<end_of_utterance>")
    return Idefics3Processor(Idefics3ImageProcessorPil(**settings), tokenizer, image_seq_len=tokens)


def llava_next(folder):
    from transformers import LlavaNextProcessor, PreTrainedTokenizerFast
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
    settings, config = settings_of(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.image_token = "<image>"
    return LlavaNextProcessor(LlavaNextImageProcessorPil(**settings), tokenizer,
                              patch_size=config["vision_config"]["patch_size"],
                              vision_feature_select_strategy="full", num_additional_image_tokens=0)


def draw(size, path):
    from PIL import Image
    width, height = (int(n) for n in size.split("x"))
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("smolvlm", "granite"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--picture", default="1024x768")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--works", default="tower,first_whole,first_split,decode")
    parser.add_argument("--alone", action="store_true", help="Gaze without its peer")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        draw(a.picture, place / "picture.png")
        peers = {"Gaze": Gaze(a.build / "bench/bench_vision_model", a, place / "picture.png", place)}
        if not a.alone:
            peers["transformers"] = Transformers(a, place / "picture.png")
        print(f"{platform.processor() or platform.machine()}, {a.model}, {a.precision}, a picture of "
              f"{a.picture}, best of {a.rounds} rounds")
        print("| work | threads | " + " | ".join(f"{p}, s" for p in peers) + " | ratio |\n|" +
              "---|" * (3 + len(peers)))
        for work in a.works.split(","):
            for t in (int(t) for t in a.threads.split(",")):
                best = {p: float("inf") for p in peers}
                for _ in range(a.rounds):
                    for name, peer in peers.items():
                        best[name] = min(best[name], peer.seconds(work, t))
                ratio = best.get("transformers", float("nan")) / best["Gaze"]
                print(f"| {work} | {t} | " + " | ".join(f"{s:.3f}" for s in best.values()) +
                      f" | {ratio:.2f} |", flush=True)
        for name, peer in peers.items():
            print(f"{name}: {peer.memory() / 2**30:.2f} GiB at most")


if __name__ == "__main__":
    main()
