declare module 'virtual:emoji/*' {
  const data: import('./data.ts').EmojiData;
  export default data;
}
