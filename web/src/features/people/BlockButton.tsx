import { useWords } from '../../i18n/speech.tsx';
import { ConfirmDialog } from '../../kit/ConfirmDialog.tsx';

interface BlockButtonProps {
  name: string;
  blocked: boolean;
  press(): void;
}

export function BlockButton({ name, blocked, press }: BlockButtonProps) {
  const { people } = useWords();
  const label = blocked ? people.unblockWhom(name) : people.blockWhom(name);
  return (
    <button type="button" className="button" aria-label={label} title={label} onClick={press}>
      {blocked ? people.unblock : people.block}
    </button>
  );
}

interface BlockDialogProps {
  name: string;
  block(): void;
  close(): void;
}

export function BlockDialog({ name, block, close }: BlockDialogProps) {
  const { people } = useWords();
  return (
    <ConfirmDialog title={people.blockTitle(name)} deed={people.block} run={block} close={close}>
      {people.blockMeans}
    </ConfirmDialog>
  );
}
