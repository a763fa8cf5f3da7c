export const listed = {
  inThread: 'in a thread',
  answers: (text: string) => `Reply to: ${text}`,
};
