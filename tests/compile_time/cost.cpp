// cost COMMAND...: runs it and prints what it and its children took: processor time in milliseconds, peak memory of
// the largest process in kilobytes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int, char** arguments) {
  const pid_t child = fork();
  if (child == 0) {
    execvp(arguments[1], arguments + 1);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
  rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  const auto milliseconds = [](const timeval& t) { return 1000L * t.tv_sec + t.tv_usec / 1000; };
  std::printf("%ld %ld\n", milliseconds(used.ru_utime) + milliseconds(used.ru_stime),
              long(used.ru_maxrss));
}
