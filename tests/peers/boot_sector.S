/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boot_sector.S: a guest of 512 bytes for tests of clients and servers.
 *
 * It shows 80 x 25 characters without a cursor and echoes keys.  Key 1 clears them,
 * key 2 shows 640 x 480 pixels of 32 bits, no two neighbours alike.  It writes R to
 * port 0xe9 whenever it waits for a key.
 */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
text:
    movw $3, %ax            /* 80 x 25 characters */
    int $0x10
    movb $1, %ah            /* no cursor: it would blink */
    movw $0x2000, %cx
    int $0x10
    movw $ready, %si
1:  lodsb
    testb %al, %al
    jz keys
    call echo
    jmp 1b

keys:
    movb $'R', %al          /* whoever started us reads this port */
    outb %al, $0xe9
    movb $0, %ah
    int $0x16
    cmpb $'1', %al
    je text
    cmpb $'2', %al
    je picture
    call echo
    jmp keys

echo:
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    ret

picture:
    movw $0x4f02, %ax       /* VBE: 640 x 480 x 32, in banks of 64 KiB */
    movw $0x142, %bx
    int $0x10
    xorl %esi, %esi         /* colour */
    xorw %bp, %bp           /* bank */
bank:
    movw $0x4f05, %ax
    xorw %bx, %bx
    movw %bp, %dx
    int $0x10
    movw $0xa000, %ax
    movw %ax, %es
    xorw %di, %di
    movw $0x4000, %cx
pixel:
    movl %esi, %eax
    stosl
    addl $0x010309, %esi
    loop pixel
    incw %bp
    cmpw $19, %bp           /* 640 * 480 * 4 / 65536, rounded up */
    jb bank
    jmp keys

ready:
    .asciz "boot sector ready\r\n> "

    .org 510
    .word 0xaa55
