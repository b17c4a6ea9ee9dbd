/* Scores rows on a Cortex-M4 in QEMU and says so over semihosting: per row the bits of the score and the decision, then
   the outcome of the self-test and the instructions of a row. With -icount shift=0 an instruction takes a nanosecond,
   and the 25 MHz of SysTick count forty of them. */
#include "case.h"

#define STATUS (*(volatile uint32_t*)0xE000E010u)
#define RELOAD (*(volatile uint32_t*)0xE000E014u)
#define VALUE (*(volatile uint32_t*)0xE000E018u)
#define COPROCESSORS (*(volatile uint32_t*)0xE000ED88u)

static int call(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
static void say(uint32_t number, char end) {
  char text[10];
  int i;
  for (i = 7; i >= 0; --i, number >>= 4) text[i] = "0123456789abcdef"[number & 15u];
  text[8] = end;
  text[9] = '\0';
  call(4, text); /* SYS_WRITE0 */
}

/* Not part of reset(), which must not touch the floating-point unit before it is on. */
__attribute__((noinline)) static void run(void) {
  uint32_t before, ticks = 0, i;
  for (i = 0; i < ROWS; ++i) {
    union {
      float number;
      uint32_t bits;
    } score;
    before = VALUE;
    score.number = SCORE(rows[i]);
    ticks += (before - VALUE) & 0xFFFFFFu; /* it counts down */
    say(score.bits, ' ');
    say((uint32_t)IS_ANOMALY(rows[i]), '\n');
  }
  say((uint32_t)SELF_TEST(), ' ');
  say(ticks / ROWS * 40u, '\n');
}

extern uint32_t data_from, data_begin, data_end, bss_begin, bss_end;
void reset(void);
void reset(void) {
  static const uint32_t done[2] = {0x20026u, 0}; /* ADP_Stopped_ApplicationExit */
  uint32_t *to, *from = &data_from;
  COPROCESSORS |= 0xFu << 20;
  __asm__ volatile("dsb\n isb");
  for (to = &data_begin; to < &data_end;) *to++ = *from++;
  for (to = &bss_begin; to < &bss_end;) *to++ = 0;
  RELOAD = 0xFFFFFFu;
  VALUE = 0;
  STATUS = 5; /* on, the CPU's clock */
  run();
  call(0x20, done); /* SYS_EXIT_EXTENDED */
  for (;;) {
  }
}
static void fault(void) {
  static const uint32_t failed[2] = {0x20026u, 1};
  call(0x20, failed);
}

__attribute__((section(".vectors"), used)) static const struct {
  void* stack;
  void (*handlers[15])(void);
} vectors = {(void*)0x20400000, {reset, fault, fault, fault, fault, fault}};
