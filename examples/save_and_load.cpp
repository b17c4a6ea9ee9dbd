// Lesson: a fitted detector as a file. Scaler, threshold and calibration are inside: who loads it needs nothing else.

#include "pump.hpp"

#include <dasvdd/io/model_file.hpp>

#include <cstdio>

int main() {
  dasvdd::FitOptions settings;
  settings.ensemble_size = 1;
  settings.steps = 300;
  const auto detector = dasvdd::fit(pump::readings(2000, 1), settings)
                            .calibrated(pump::readings(500, 2), dasvdd::false_alarm_rate(0.01));

  // Facts are words of your own; they come back after loading. The file appears whole or not at all.
  dasvdd::save(detector, "pump.safetensors", {{"pump", "P-101"}, {"trained_on", "2000 readings"}});

  try {
    const auto loaded =
        dasvdd::load<float>("pump.safetensors");  // the scalar type it was trained in
    const auto X = pump::readings(100, 3);
    const bool same =
        loaded.score(X) == detector.score(X) && loaded.threshold() == detector.threshold();
    std::printf("%s: %s\n", loaded.facts().at("pump").c_str(),
                same ? "the same scores, to the bit" : "other scores");
    dasvdd::load<float>("nothing.safetensors");  // there is none
    return 1;
  } catch (const dasvdd::FileError& error) {
    std::printf("and a file that can't be read says why: %s\n", error.what());
    return 0;
  }
}
