"""Runs the ONNX files of onnx_models in onnxruntime and OpenVINO and compares them with the library.

    python check.py FOLDER

For every model: onnx.checker's full check; scores within 1e-5 of the library's, relative; decisions equal away from the
threshold; p-values equal away from calibration scores; the self-test row; no rows, one row; another threshold; a row that
isn't finite. One line a model with the largest relative difference in each engine; exit status 1 where anything fails.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
from safetensors.numpy import load_file

try:
    import openvino
except ImportError:
    openvino = None

TOLERANCE = 1e-5
failures = []


def expect(condition, *words):
    if not condition:
        failures.append(" ".join(str(word) for word in words))


def relative(a, b):
    return float(numpy.max(numpy.abs(a - b) / numpy.maximum(numpy.abs(b), 1e-300))) if len(b) else 0.0


def compare(name, got, expected, threshold):
    """The largest relative difference of the scores; expects the other outputs to follow."""
    score = got["score"].astype(float)
    difference = relative(score, expected["score"].astype(float))
    expect(difference <= TOLERANCE, name, "scores differ by", difference)
    clear = numpy.abs(expected["score"] - threshold) > TOLERANCE * abs(threshold)
    decided = (expected["score"].astype(float) > threshold) == got["is_anomaly"]
    expect(got["is_anomaly"].dtype == bool and decided[clear].all(), name, "decisions differ")
    expect(("p_value" in got) == ("calibration" in expected), name, "p_value is there or not")
    if "p_value" in got:
        calibration = expected["calibration"]

        def p_of(values):
            return (1 + len(calibration) - numpy.searchsorted(calibration, values)) / (1 + len(calibration))

        # Exactly the definition, of a score that rounding may have moved.
        low, high = (p_of(expected["score"] * (1 + sign * TOLERANCE)) for sign in (1, -1))
        p = got["p_value"].astype(float)
        expect(((p > low * (1 - 1e-6)) & (p < high * (1 + 1e-6))).all(), name, "p-values differ")
    return difference


def in_onnxruntime(path, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of every input that has a default
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(None, feed))) for feed in feeds]


def in_openvino(path, feeds):
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    inputs = {i.get_any_name() for i in model.inputs}
    results = []
    for feed in feeds:
        result = model({name: value for name, value in feed.items() if name in inputs})
        results.append({o.get_any_name(): result[o] for o in model.outputs})
    return results, inputs


def check(path):
    name = path.stem
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    words = {entry.key: entry.value for entry in model.metadata_props}
    expected = load_file(path.with_suffix(".safetensors"))
    x, threshold = expected["x"], float(expected["threshold"])
    expect(float(words["threshold"]) == threshold, name, "the metadata's threshold differs")
    row = numpy.array([json.loads(words["self_test_row"])], x.dtype)
    bad = x[:2].copy()
    bad[1, 0] = numpy.nan
    other = numpy.array([0], x.dtype)
    graph_type = numpy.float32 if name.endswith("as_float") else x.dtype
    feeds = [{"x": x}, {"x": x[:1]}, {"x": row}, {"x": bad}, {"x": x, "threshold": other}, {"x": x[:0]}]
    feeds = [{key: value.astype(graph_type) for key, value in feed.items()} for feed in feeds]

    def look(engine, results, takes_threshold=True):
        whole, one, self_test, not_finite, all_anomalies, *none = results
        label = f"{name} in {engine}:"
        difference = compare(label, whole, expected, threshold)
        expect(relative(one["score"], expected["score"][:1]) <= TOLERANCE, label, "one row")
        expect(abs(self_test["score"][0] / float(words["self_test_score"]) - 1) <= TOLERANCE, label, "self-test")
        expect(self_test["is_anomaly"][0] == (words["self_test_is_anomaly"] == "1"), label, "self-test's decision")
        # Infinity, or the largest float where an engine computes a graph in double in float.
        expect(not_finite["score"][1] > 3.4e38 and not_finite["is_anomaly"][1], label, "a NaN in the row")
        expect(not takes_threshold or all_anomalies["is_anomaly"].all(), label, "threshold 0")
        for result in none:
            expect(result["score"].shape == result["is_anomaly"].shape == (0,), label, "no rows")
        return f"{engine} {difference:.1e}"

    line = f"{name:28} opset {model.opset_import[0].version} "
    line += look("onnxruntime", in_onnxruntime(path, feeds))
    if openvino:
        # It takes no batch without rows where there are images, and may make a constant of an input with a default.
        results, inputs = in_openvino(path, feeds[:-1])
        line += " " + look("OpenVINO", results, "threshold" in inputs)
        line += "" if "threshold" in inputs else " (its threshold is fixed)"
    print(line)


for file in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    try:
        check(file)
    except Exception as error:  # one model's failure doesn't hide the others
        failures.append(f"{file.stem}: {type(error).__name__}: {str(error)[:300]}")
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(1 if failures else 0)
