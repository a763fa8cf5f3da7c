export const search = {
  title: 'Search',
  words: 'Search for words',
  everywhere: 'Search everywhere',
  narrow: 'Who and when',
  from: 'From',
  before: 'Before',
  found: 'Found messages',
  hint: 'Finds messages with words that begin with what you write.',
  nothingYet: 'Nothing was said here yet, so there is nothing to find.',
  none: (words: string) => `Nothing found for “${words}”.`,
  noneSoFar: 'Nothing found so far. There are older messages to look through.',
  further: 'Look further back',
  elsewhere: 'Another conversation',
  faults: {
    too_many_words: 'These are more than ten words. Fewer find more.',
    no_handle: 'Write a handle after “From”, such as @ada.',
  },
};
