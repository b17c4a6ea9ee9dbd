// Every activation's way through the training executor, and the functions that make them.

#include "nn/support.hpp"

using namespace nn_tests;

namespace {

const char* const names[] = {"identity", "relu", "leaky_relu", "elu",  "selu",
                             "gelu",     "silu", "softplus",   "tanh", "sigmoid"};

}  // namespace

TEST_CASE("gradients through every activation behind a dense layer, code and output included") {
  for (const char* name : names) {
    CAPTURE(name);
    const Activation f = Activation(name);
    check_gradient(Probe<double>(dense_autoencoder<double>(5, {7, 3}, f, f, f), 11, 3));
  }
}

TEST_CASE("gradients through every activation alone: two in a row, the second ends the code") {
  for (const char* name : names) {
    CAPTURE(name);
    Network<double> encoder, decoder;
    encoder.add(dense<double>(5, 4)).add(tanh()).add(Activation(name));
    decoder.add(dense<double>(4, 6)).add(Activation(name)).add(Activation(name));
    decoder.add(dense<double>(6, 5)).add(Activation()).add(Activation(name));
    REQUIRE(encoder.steps().size() == 2);
    REQUIRE(decoder.steps().size() == 4);
    check_gradient(Probe<double>(autoencoder(encoder, decoder), 9, 5));
  }
}

TEST_CASE("gradients with other slopes and alphas") {
  for (const Activation f : {leaky_relu(0.3), Activation("elu", 0.4), Activation("elu", 2.5)}) {
    check_gradient(Probe<double>(dense_autoencoder<double>(5, {7, 3}, f, f, f), 11, 3));
  }
}

TEST_CASE("activations by name, with their usual parameter or another") {
  for (const char* name : names) CHECK(std::string(Activation(name).name()) == name);
  CHECK(Activation().is_identity());
  CHECK_NOTHROW(Activation().validate());
  CHECK(Activation("leaky_relu").parameter() == 0.01);
  CHECK(leaky_relu().parameter() == 0.01);
  CHECK(Activation("leaky_relu", 0.2).parameter() == 0.2);
  CHECK(Activation("elu").parameter() == 1);
  CHECK(Activation("elu", 0.5).parameter() == 0.5);
  CHECK_THROWS_WITH_AS(
      Activation("swish"),
      "the activation is 'swish', expected one of identity, relu, leaky_relu, elu, "
      "selu, gelu, silu, softplus, tanh, sigmoid",
      InvalidArgument);
  CHECK_THROWS_WITH_AS(Activation("tanh", 0.5), "tanh takes no parameter, got 0.5",
                       InvalidArgument);
}

TEST_CASE("slopes and alphas out of range are refused, whichever way they come") {
  const char* slope = "leaky_relu: the parameter is 1, expected a number above 0 and below 1";
  CHECK_THROWS_WITH_AS(leaky_relu(1), slope, InvalidArgument);
  CHECK_THROWS_WITH_AS(Activation("leaky_relu", 1), slope, InvalidArgument);
  Network<double> net;
  net.add(dense<double>(2, 2));
  CHECK_THROWS_WITH_AS(net.add(Activation(ActivationKind::leaky_relu, 1)), slope, InvalidArgument);
  for (const double bad : {0.0, -0.01, 2.0, std::nan("")}) {
    CHECK_THROWS_AS(leaky_relu(bad), InvalidArgument);
  }
  for (const double bad : {0.0, -1.0, 1e7, std::nan("")}) {
    CHECK_THROWS_AS(Activation("elu", bad), InvalidArgument);
  }
  CHECK_THROWS_WITH_AS(Activation("elu", -1),
                       "elu: the parameter is -1, expected a number above 0 and below 1e+06",
                       InvalidArgument);
}
