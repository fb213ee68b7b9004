// A trap of a model thread (a failed assertion of Swift, a wild pointer) ends its run and not the process: the handler
// goes back to the exploration by a switch of stacks, which reports it with the schedule that led there. The fibre is
// never resumed. In the checker's own code, or outside any exploration, the process dies as it would have.
#include "CStillpointModel.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int caught[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { CAUGHT_COUNT = sizeof caught / sizeof caught[0], SIGNAL_STACK = 64 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users;                                // guarded by lock
static struct sigaction before[CAUGHT_COUNT];    // written under lock when there was no user
static _Thread_local sp_model_trap_hook hook;
static _Thread_local stack_t ownStack, stackBefore;

void sp_model_write_error(const char *text, size_t byteCount) {
  ssize_t ignored = write(STDERR_FILENO, text, byteCount);
  (void)ignored;
}

static void handle(int signal, siginfo_t *information, void *context) {
  (void)information, (void)context;
  if (hook != NULL && sp_model_mode() != SP_MODEL_OUTSIDE) hook(signal, sp_model_mode());
  // Back to what it was: the instruction is run again, and traps again.
  for (int index = 0; index < CAUGHT_COUNT; index += 1)
    if (caught[index] == signal) sigaction(signal, &before[index], NULL);
  if (signal == SIGABRT || signal == SIGTRAP) raise(signal);
}

int sp_model_is_sanitized(void) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
  return 1;
#endif
#endif
  return 0;
}

void sp_model_catch_traps(sp_model_trap_hook wanted) {
  if (sp_model_is_sanitized()) return;
  hook = wanted;
  ownStack.ss_sp = malloc(SIGNAL_STACK);
  ownStack.ss_size = SIGNAL_STACK;
  ownStack.ss_flags = 0;
  sigaltstack(&ownStack, &stackBefore);
  pthread_mutex_lock(&lock);
  users += 1;
  if (users == 1) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    // SA_NODEFER: the handler is left by a switch of stacks, which restores no mask.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int index = 0; index < CAUGHT_COUNT; index += 1) sigaction(caught[index], &action, &before[index]);
  }
  pthread_mutex_unlock(&lock);
}

void sp_model_release_traps(void) {
  if (sp_model_is_sanitized()) return;
  pthread_mutex_lock(&lock);
  users -= 1;
  if (users == 0)
    for (int index = 0; index < CAUGHT_COUNT; index += 1) sigaction(caught[index], &before[index], NULL);
  pthread_mutex_unlock(&lock);
  sigaltstack(&stackBefore, NULL);
  free(ownStack.ss_sp);
  hook = NULL;
}
