#include <cstdio>

double plain_score();
double native_score();
double compiled_score();

// Same seed, same bits: whatever the parts were compiled with, their detectors agree.
int main() {
  const double plain = plain_score();
  const double native = native_score();
  const double compiled = compiled_score();
  std::printf("plain %.17g, native %.17g, compiled %.17g\n", plain, native, compiled);
  return plain > 0 && plain == native && plain == compiled ? 0 : 1;
}
