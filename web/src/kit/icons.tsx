import { Icon } from './Icon.tsx';

export const PencilIcon = () => (
  <Icon>
    <path d="M4 20h4L19 9l-4-4L4 16v4zM13 7l4 4" />
  </Icon>
);

export const HashIcon = () => (
  <Icon>
    <path d="M9 4L7 20M17 4l-2 16M4 9h17M3 15h17" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="M15 15l5.5 5.5" />
  </Icon>
);

export const ExpandIcon = () => (
  <Icon>
    <path d="M7 10l5 5 5-5" />
  </Icon>
);

export const StarIcon = () => (
  <Icon>
    <path d="M12 3.8l2.5 5.3 5.7.7-4.2 4 1.1 5.7-5.1-2.8-5.1 2.8L8 13.8l-4.2-4 5.7-.7z" />
  </Icon>
);

export const BellIcon = () => (
  <Icon>
    <path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4" />
  </Icon>
);

export const MutedIcon = () => (
  <Icon>
    <path d="M6 16V11c0-1 .2-1.9.6-2.7M9 5.8a6 6 0 0 1 9 5.2v3M15 18H4.5L6 16M10 21h4M4 4l16 16" />
  </Icon>
);

export const HideIcon = () => (
  <Icon>
    <path d="M4 5h16v4H4zM6 9v10h12V9M12 11.5v5M9.8 14.5l2.2 2.2 2.2-2.2" />
  </Icon>
);

export const KeyboardIcon = () => (
  <Icon>
    <path d="M3 6h18v12H3zM7 10h.1M12 10h.1M17 10h.1M8 14h8" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <path d="M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3" />
  </Icon>
);

export const BackIcon = () => (
  <Icon turns>
    <path d="M15 5l-7 7 7 7" />
  </Icon>
);

export const ForwardIcon = () => (
  <Icon turns>
    <path d="M9 5l7 7-7 7" />
  </Icon>
);

export const SendIcon = () => (
  <Icon turns>
    <path d="M4 12l16-8-6 16-3-7-7-1z" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const LogOutIcon = () => (
  <Icon turns>
    <path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9" />
  </Icon>
);

export const GearIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="3" />
    <circle cx="12" cy="12" r="6.5" />
    <path d="M12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3M5.3 5.3l2.1 2.1M16.6 16.6l2.1 2.1M5.3 18.7l2.1-2.1M16.6 7.4l2.1-2.1" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 8v4l3 2" />
  </Icon>
);

export const TickIcon = () => (
  <Icon>
    <path d="M5 13l4 4L19 7" />
  </Icon>
);

export const TwoTicksIcon = () => (
  <Icon>
    <path d="M2 13l4 4L16 7M11 16l1 1L22 7" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v6M12 16.5v.5" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M5 12h.1M12 12h.1M19 12h.1" strokeWidth="3.5" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5" />
  </Icon>
);

export const SmileIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5h.1M15 9.5h.1" />
  </Icon>
);

export const ReplyIcon = () => (
  <Icon turns>
    <path d="M10 6L4 12l6 6M4 12h9a7 7 0 0 1 7 7" />
  </Icon>
);

export const FormatIcon = () => (
  <Icon>
    <path d="M3 18L8 6l5 12M4.7 14h6.6M20.5 18v-7M20.5 14.5a3 3.3 0 1 1-6 0 3 3.3 0 0 1 6 0z" />
  </Icon>
);

export const CalendarIcon = () => (
  <Icon>
    <path d="M4 6h16v14H4zM4 10h16M8 3v4M16 3v4" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2" />
  </Icon>
);

export const ListIcon = () => (
  <Icon turns>
    <path d="M9 6h11M9 12h11M9 18h11M4.5 6h.1M4.5 12h.1M4.5 18h.1" />
  </Icon>
);

export const QuoteIcon = () => (
  <Icon turns>
    <path d="M5 5v14M10 8h9M10 12h9M10 16h5" />
  </Icon>
);

export const CodeIcon = () => (
  <Icon>
    <path d="M8 7l-5 5 5 5M16 7l5 5-5 5" />
  </Icon>
);

export const SpoilerIcon = () => (
  <Icon>
    <path d="M4 4l16 16M10 6.3A9 9 0 0 1 21.5 12a12 12 0 0 1-2.4 3M6.6 7.6A12 12 0 0 0 2.5 12a9.6 9.6 0 0 0 13 5.2M10 10.2a2.7 2.7 0 0 0 3.8 3.8" />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle cx="9" cy="8" r="3.5" />
    <path d="M2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.3c2 .8 3.2 2.7 3.5 5.7" />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <circle cx="12" cy="8" r="3.8" />
    <path d="M4.5 20.5c.5-4.2 3.4-6.5 7.5-6.5s7 2.3 7.5 6.5" />
  </Icon>
);

export const InfoIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v6M12 7.5v.1" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);

export const ChatIcon = () => (
  <Icon>
    <path d="M5 5h14v11H11l-4 4v-4H5z" />
  </Icon>
);

export const ArchiveIcon = () => (
  <Icon>
    <path d="M4 5h16v4H4zM6 9v10h12V9M10 13h4" />
  </Icon>
);

export const ThreadIcon = () => (
  <Icon turns>
    <path d="M4 5h16v11h-8l-4 4v-4H4zM8 9h8M8 12.5h5" />
  </Icon>
);

export const PinIcon = () => (
  <Icon>
    <path d="M9 4h6l-1 6 3.5 3.5h-11L10 10zM12 13.5V20" />
  </Icon>
);
