// Several detectors as one.

#include "detect/support.hpp"

using namespace detect_tests;

TEST_CASE("an ensemble's score is the mean of its members' scores") {
  const auto scaler = some_scaler<double>(9);
  const std::vector<Detector<double>> members = {
      detector_of<double>({published_member(small_net<double>(), 1)}, scaler),
      detector_of<double>({whitened_member(small_net<double>(), 2)}, scaler),
      detector_of<double>({published_member(dense_autoencoder<double>(9, {5}, sigmoid()), 3)},
                          scaler)};
  const auto both = ensemble(members, 0.5);
  CHECK(both.threshold() == 0.5);
  CHECK(both.model().members.size() == 3);
  const auto X = random_rows<double>(120, 9, 4);
  Vector<double> mean = Vector<double>::Zero(120), r = mean, q = mean;
  for (const auto& member : members) {
    mean += member.score(X) / 3;
    r += member.score_parts(X).reconstruction / 3;
    q += member.score_parts(X).latent / 3;
  }
  const auto parts = both.score_parts(X);
  for (Index i = 0; i < 120; ++i) {
    CHECK(both.score(X.middleRows(i, 1))[0] == doctest::Approx(mean[i]).epsilon(1e-14));
    CHECK(parts.reconstruction[i] == doctest::Approx(r[i]).epsilon(1e-14));
    CHECK(parts.latent[i] == doctest::Approx(q[i]).epsilon(1e-14));
  }
}

TEST_CASE("an ensemble of one scores as its member does, to the bit") {
  const auto one = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(50, 9, 4);
  CHECK(same_bits(ensemble<float>({one}, 1).score(X), one.score(X)));
}

TEST_CASE("members that don't go together are refused") {
  const auto plain = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto scaled =
      detector_of<float>({published_member(small_net<float>(), 1)}, some_scaler<float>(9));
  const auto wide = detector_of<float>({published_member(small_net<float>(10), 1)});
  CHECK_THROWS_WITH_AS(ensemble<float>({}, 1), "an ensemble needs at least one detector",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(ensemble<float>({plain, plain, scaled}, 1),
                       "detector 2 of the ensemble scales its rows otherwise than detector 0",
                       InvalidArgument);
  // By the same width, to other numbers; or by the same numbers, with another rule for missing values.
  const auto member = published_member(small_net<float>(), 1);
  const std::vector<double> mean(9, 1), scale(9, 2), other(9, 3);
  const Standardizer<float> by(mean, scale);
  for (const Scaler<float>& scaler :
       {Scaler<float>(Standardizer<float>(mean, other)),
        Scaler<float>(Standardizer<float>(other, scale)), Scaler<float>(by, MissingRule::mask)}) {
    CHECK_THROWS_WITH_AS(
        ensemble<float>({detector_of<float>({member}, {by}), detector_of<float>({member}, scaler)},
                        1),
        "detector 1 of the ensemble scales its rows otherwise than detector 0", InvalidArgument);
  }
  CHECK_THROWS_WITH_AS(ensemble<float>({plain, wide}, 1),
                       "the members of a detector take 9 and 10 features, expected the same number",
                       InvalidArgument);
}
