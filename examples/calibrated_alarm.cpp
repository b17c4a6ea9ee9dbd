// Lesson: an alarm with a promised rate of false alarms. Held-out normal rows set the threshold and turn scores
// into p-values.

#include "pump.hpp"

#include <cstdio>

int main() {
  dasvdd::FitOptions settings;
  settings.ensemble_size = 2;  // a small ensemble is enough here
  settings.steps = 500;
  const auto fitted = dasvdd::fit(pump::readings(2000, 1), settings);

  // Rows of the same pump that training has not seen. To promise a rate of 1 % takes at least 99 of them; the
  // rate that one choice of them really gives comes nearer the more there are.
  const auto alarm = fitted.calibrated(pump::readings(5000, 2), dasvdd::false_alarm_rate(0.01));

  const auto healthy = pump::readings(5000, 3);
  const double rate = double(alarm.predict(healthy).sum()) / 5000;
  std::printf("threshold %.3g, alarms on new healthy readings: %.2f %%\n", alarm.threshold(),
              100 * rate);

  // The p-value is the chance that a healthy pump scores as high. It is never below 1 / (held-out rows + 1).
  for (const double wear : {0.0, 0.1, 0.2, 0.4}) {
    const auto row = pump::readings(1, 4, wear);
    const float score = alarm.score(row)[0];
    std::printf("%2.0f %% worn: score %6.2f, p = %.4f%s\n", 100 * wear, score, alarm.p_value(score),
                alarm.is_anomaly(score) ? ", alarm" : "");
  }
  return rate < 0.02 ? 0 : 1;
}
