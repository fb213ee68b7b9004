// A switch from one stack to another: the registers that a call must keep are pushed, the stack pointer is
// exchanged, the registers are popped. Sanitizers are told, as they keep things by stack.
#define _GNU_SOURCE 1
#include "CStillpointModel.h"

#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_THREAD_SANITIZER 1
extern void *__tsan_get_current_fiber(void);
extern void *__tsan_create_fiber(unsigned flags);
extern void __tsan_destroy_fiber(void *fiber);
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#include <pthread.h>
extern void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
extern void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
#endif
#endif

struct sp_fibre {
  void *stackPointer;
  void (*body)(void *);
  void *argument;
  void *bottom;
  size_t byteCount;
  struct sp_fibre *end;
  int ignored;      // `sp_model_ignored`, while it does not run
  void *sanitizer;  // ThreadSanitizer's fibre, or AddressSanitizer's fake stack
};

/// Saves the registers on the stack, the stack pointer in `*from`; goes on at `to`.
extern void sp_switch_stack(void **from, void *to);

#if defined(__x86_64__)
__asm__(
    ".text\n.p2align 4\n.globl sp_switch_stack\n.hidden sp_switch_stack\n.type sp_switch_stack,@function\n"
    "sp_switch_stack:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size sp_switch_stack, .-sp_switch_stack\n");
enum { SAVED_WORDS = 7, RETURN_WORD = 6 };
#elif defined(__aarch64__)
__asm__(
    ".text\n.p2align 4\n.globl sp_switch_stack\n.hidden sp_switch_stack\n.type sp_switch_stack,%function\n"
    "sp_switch_stack:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
    "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
    "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #160\n"
    "  ret\n"
    ".size sp_switch_stack, .-sp_switch_stack\n");
enum { SAVED_WORDS = 20, RETURN_WORD = 11 };
#else
#error "the model checker has no stack switch for this processor"
#endif

/// The fibre that a switch goes to: how a new one learns who it is.
static _Thread_local __attribute__((tls_model("initial-exec"))) struct sp_fibre *arriving;

static void arrived(struct sp_fibre *self) {
#if WITH_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(self->sanitizer, NULL, NULL);
#else
  (void)self;
#endif
}

static void start(void) {
  struct sp_fibre *self = arriving;
  arrived(self);
  self->body(self->argument);
  sp_fibre_switch(self, self->end);
  abort();
}

struct sp_fibre *sp_fibre_create(void *stack, size_t byteCount, void (*body)(void *), void *argument) {
  struct sp_fibre *fibre = calloc(1, sizeof *fibre);
  if (fibre == NULL) return NULL;
  fibre->body = body;
  fibre->argument = argument;
  fibre->bottom = stack;
  fibre->byteCount = byteCount;
  // As after a call: on x86-64 the stack pointer is 8 more than a multiple of 16 in `start`.
  uintptr_t top = ((uintptr_t)stack + byteCount) & ~(uintptr_t)15;
#if defined(__x86_64__)
  top -= 8;  // the word at the top is what `start` would return to
#endif
  void **words = (void **)top - SAVED_WORDS;
  for (int index = 0; index < SAVED_WORDS; index += 1) words[index] = NULL;
  words[RETURN_WORD] = (void *)start;
#if defined(__x86_64__)
  words[SAVED_WORDS] = NULL;
#endif
  fibre->stackPointer = words;
#if WITH_THREAD_SANITIZER
  fibre->sanitizer = __tsan_create_fiber(0);
#endif
  return fibre;
}

struct sp_fibre *sp_fibre_adopt(void) {
  struct sp_fibre *fibre = calloc(1, sizeof *fibre);
  if (fibre == NULL) return NULL;
#if WITH_THREAD_SANITIZER
  fibre->sanitizer = __tsan_get_current_fiber();
#elif WITH_ADDRESS_SANITIZER
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &fibre->bottom, &fibre->byteCount);
    pthread_attr_destroy(&attributes);
  }
#endif
  return fibre;
}

void sp_fibre_destroy(struct sp_fibre *fibre) {
#if WITH_THREAD_SANITIZER
  if (fibre->body != NULL) __tsan_destroy_fiber(fibre->sanitizer);
#endif
  free(fibre);
}

void sp_fibre_switch(struct sp_fibre *from, struct sp_fibre *to) {
  arriving = to;
  from->ignored = sp_model_ignored;
  sp_model_ignored = to->ignored;
#if WITH_THREAD_SANITIZER
  __tsan_switch_to_fiber(to->sanitizer, 0);
#elif WITH_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&from->sanitizer, to->bottom, to->byteCount);
#endif
  sp_switch_stack(&from->stackPointer, to->stackPointer);
  arrived(from);
}

void sp_fibre_finish(struct sp_fibre *from, struct sp_fibre *fibre) {
  fibre->end = from;
  sp_fibre_switch(from, fibre);
}
