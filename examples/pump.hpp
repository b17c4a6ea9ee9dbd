#pragma once
/// \file
/// Made-up readings for the examples: a pump whose six sensors obey its physics. Your table goes here.

#include <dasvdd/dasvdd.hpp>

namespace pump {

constexpr const char* features[] = {"speed", "flow",        "pressure",
                                    "power", "temperature", "vibration"};

/// `rows` readings, one a row. `wear` 0 is a healthy pump; a worn one takes more power for the same flow, though
/// every single reading stays within its usual range.
inline dasvdd::RowMatrix<float> readings(dasvdd::Index rows, std::uint64_t seed, double wear = 0) {
  dasvdd::Random random(seed);
  dasvdd::RowMatrix<float> X(rows, 6);
  for (dasvdd::Index i = 0; i < rows; ++i) {
    const double speed = random.uniform(20, 50), valve = random.uniform(0.5, 1);
    const double flow = 2.4 * speed * valve;
    const double pressure = 0.003 * speed * speed * (1.4 - valve);
    const double power = (0.9 + 0.02 * flow * pressure) * (1 + wear);
    const double temperature = random.uniform(15, 25) + 1.5 * power;
    const double values[] = {speed, flow, pressure, power, temperature, 0.1 * speed};
    for (dasvdd::Index j = 0; j < 6; ++j) {
      X(i, j) = static_cast<float>(values[j] * (1 + 0.02 * random.normal()));
    }
  }
  return X;
}

}  // namespace pump
