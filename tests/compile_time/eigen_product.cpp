// The measure: what somebody who uses Eigen pays already.
#include <Eigen/Dense>

Eigen::MatrixXf product(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) { return a * b; }
