import { NameForm } from './NameForm.tsx';
import { StatusForm } from './StatusForm.tsx';

/** How others see this person. */
export function ProfileSection() {
  return (
    <>
      <NameForm />
      <StatusForm />
    </>
  );
}
