#include <dasvdd/dasvdd.hpp>

int main() { return dasvdd::Rows<const float>().rows() == 0 ? 0 : 1; }
