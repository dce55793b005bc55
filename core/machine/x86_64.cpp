#ifdef __x86_64__
// At its entry the stack is as at the entry of any function: the caller's address is on top.
__asm__(R"(
        .text
        .p2align 4
        .hidden libwire_finish_and_jump
        .globl libwire_finish_and_jump
        .type libwire_finish_and_jump, @function
libwire_finish_and_jump:
        .cfi_startproc
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        call libwire_finish
        addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        jmpq *%rcx
        .cfi_endproc
        .size libwire_finish_and_jump, . - libwire_finish_and_jump
)");
#endif
