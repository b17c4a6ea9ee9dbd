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
    const Activation f = activation(name);
    check_gradient(Probe<double>(dense_autoencoder<double>(5, {7, 3}, f, f, f), 11, 3));
  }
}

TEST_CASE("gradients through every activation alone: two in a row, the second ends the code") {
  for (const char* name : names) {
    CAPTURE(name);
    Network<double> encoder, decoder;
    encoder.add(dense<double>(5, 4)).add(tanh()).add(activation(name));
    decoder.add(dense<double>(4, 6)).add(activation(name)).add(activation(name));
    decoder.add(dense<double>(6, 5)).add(identity()).add(activation(name));
    REQUIRE(encoder.steps().size() == 2);
    REQUIRE(decoder.steps().size() == 4);
    check_gradient(Probe<double>(autoencoder(encoder, decoder), 9, 5));
  }
}

TEST_CASE("gradients with other slopes and alphas") {
  for (const Activation f : {leaky_relu(0.3).spec(), elu(0.4).spec(), elu(2.5).spec()}) {
    check_gradient(Probe<double>(dense_autoencoder<double>(5, {7, 3}, f, f, f), 11, 3));
  }
}

TEST_CASE("an activation's type alone gives the usual parameter") {
  CHECK(LeakyRelu().parameter == 0.01);
  CHECK(leaky_relu().parameter == 0.01);
  CHECK(Elu().parameter == 1);
  CHECK(elu().parameter == 1);
}

TEST_CASE("activations by name") {
  for (const char* name : names) CHECK(std::string(activation_name(activation(name).kind)) == name);
  CHECK(activation("leaky_relu").parameter == 0.01);
  CHECK(activation("leaky_relu", 0.2).parameter == 0.2);
  CHECK(activation("elu").parameter == 1);
  CHECK(activation("elu", 0.5).parameter == 0.5);
  CHECK(activation("tanh", 0.5).parameter == 0);
  CHECK_THROWS_WITH_AS(activation("swish"), "activation 'swish' is unknown", InvalidArgument);
}

TEST_CASE("slopes and alphas out of range are refused, whichever way they come") {
  const char* slope = "leaky_relu: slope is 1, expected a number between 0 and 1";
  CHECK_THROWS_WITH_AS(leaky_relu(1), slope, InvalidArgument);
  CHECK_THROWS_WITH_AS(activation("leaky_relu", 1), slope, InvalidArgument);
  Network<double> net;
  net.add(dense<double>(2, 2));
  CHECK_THROWS_WITH_AS(net.add(LeakyRelu{1}), slope, InvalidArgument);
  CHECK_THROWS_WITH_AS(net.add(Activation{ActivationKind::leaky_relu, 1}), slope, InvalidArgument);
  for (const double bad : {0.0, -0.01, 2.0, std::nan("")}) {
    CHECK_THROWS_AS(leaky_relu(bad), InvalidArgument);
  }
  for (const double bad : {0.0, -1.0, 1e7, std::nan("")}) {
    CHECK_THROWS_AS(elu(bad), InvalidArgument);
  }
  CHECK_THROWS_WITH_AS(elu(-1), "elu: alpha is -1, expected a positive number below 1e6",
                       InvalidArgument);
}
