/* A program that does nothing: the limit of tools/startup. */
int main(void) { return 0; }
