#include <cstdio>

double plain_score();
double native_score();

// Same seed, same bits: whatever the two halves were compiled with, their detectors agree.
int main() {
  const double plain = plain_score();
  const double native = native_score();
  std::printf("plain %.17g, native %.17g\n", plain, native);
  return plain > 0 && plain == native ? 0 : 1;
}
