"""What the peers are told of the register: columns, and groups of occupations and ages as the shipped definitions have them."""
import csv
import os
import tomllib

# Name, kind: n a number, d a date, t a text.
COLUMNS = [
    ("NIK", "n"), ("NO_KK", "n"), ("NAMA_LGKP", "t"), ("TMPT_LHR", "t"), ("TGL_LHR", "d"), ("JENIS_KLMIN", "t"), ("AGAMA", "t"),
    ("STAT_KWN", "t"), ("STAT_HBKEL", "t"), ("JENIS_PKRJN", "t"), ("ALAMAT", "t"), ("NO_RT", "n"), ("NO_RW", "n"), ("DUSUN", "t"),
    ("NO_PROP", "n"), ("NO_KAB", "n"), ("NO_KEC", "n"), ("NO_KEL", "n"), ("KODE_POS", "n"),
]
# The finest cubes of people, by the columns that they are counted by.
CUBES = {
    "population": "village, sex, five", "population-single-age": "district, sex, age", "marital": "village, sex, marital",
    "marital-age": "district, sex, five, marital", "occupation": "village, sex, grp", "occupation-detail": "district, code",
    "occupation-sex": "regency, sex, code",
    "labour": "district, sex, five, grp", "market": "district, stage, grp, marital", "religion": "village, sex, religion",
}


def ancestors(definitions, dimension, key, level=None):
    """For each text that means a finest node: the text and the node's code, or that of its ancestor on a level."""
    with open(os.path.join(definitions, "dimensions", f"{dimension}.csv"), newline="", encoding="utf-8") as f:
        rows = {row["code"]: row for row in csv.DictReader(f)}
    with open(os.path.join(definitions, "dimensions", f"{dimension}.toml"), "rb") as f:
        order = {level["id"]: at for at, level in enumerate(tomllib.load(f)["level"])}
    depth = {code: order[row["level"]] for code, row in rows.items()}
    parents = {row["parent"] for row in rows.values()}
    result = []
    for code, row in rows.items():
        if code in parents:
            continue
        up = code
        while level and depth[up] > order[level]:
            up = rows[up]["parent"]
        for name in [row[key], *(row.get("texts") or "").split("|")]:
            if name:
                result.append((name.upper(), up))
    return result


def texts(definitions, dimension, level=None):
    """As `ancestors`, also for texts as careless offices write them, which `cacah` understands by itself."""
    careless = lambda text: {text, text.replace("/", " / "), text.replace(" ", "  ")}
    return [(one, code) for text, code in ancestors(definitions, dimension, "id", level) for one in sorted(careless(text))]


def ages(definitions):
    """Each age in years with its five-year group and its stage of life."""
    five = {int(k): v for k, v in ancestors(definitions, "age", "from", "five-year")}
    stage = {int(k): v for k, v in ancestors(definitions, "age", "from", "stage")}
    return [(age, five[age], stage[age]) for age in sorted(five)]


def meanings(definitions):
    """For each column of people that holds texts: its texts, and what they mean."""
    codes = {name: texts(definitions, name) for name in ("sex", "marital", "religion")}
    groups = dict(texts(definitions, "occupation", "group"))
    return codes, [(text, code, groups[text]) for text, code in texts(definitions, "occupation")]
