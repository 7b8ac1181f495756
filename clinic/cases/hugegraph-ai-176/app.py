# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

import gradio as gr

MODEL = f"http://127.0.63.1:{int(os.environ['PORT']) + 1}/answer"


def answer(question):
    with urlopen(MODEL, timeout=30) as reply:  # <- asks
        return f"{question}: {reply.read().decode()}"


with gr.Blocks() as demo:
    question, told = gr.Textbox(), gr.Textbox()
    gr.Button("Ask").click(answer, question, told, api_name="answer")

demo.queue()
demo.launch(server_name="127.0.0.1", server_port=int(os.environ["PORT"]), quiet=True)
