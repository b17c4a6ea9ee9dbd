// A detector saved by one program is the same in another.
#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

int main() {
  const dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Random(64, 8);
  dasvdd::FitOptions settings;
  settings.steps = 20;
  settings.ensemble_size = 1;
  const auto detector = dasvdd::fit(X, settings);
  dasvdd::save(detector, "model.safetensors");
  const auto loaded = dasvdd::load<float>("model.safetensors");
  return loaded.score(X) == detector.score(X) ? 0 : 1;
}
