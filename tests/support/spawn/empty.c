/* The least that a static program can be. */
int main(void) { return 0; }
