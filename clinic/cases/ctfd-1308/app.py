# SPDX-License-Identifier: Apache-2.0
from flask import Flask, render_template

app = Flask(__name__, template_folder=".")
app.jinja_env.cache = None  # themes may change
TEAMS = [{"name": f"team {number}", "points": 5000 - 7 * number} for number in range(20)]


@app.route("/")
def scoreboard():
    return render_template("scoreboard.html", teams=TEAMS, frozen=False)  # <- renders


@app.route("/alive")
def alive():
    return "ok"
