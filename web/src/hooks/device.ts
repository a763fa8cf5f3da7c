/** How this device shows Natter, for components. */
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Device, DeviceSettings } from '../device/device.ts';

export const DeviceContext = createContext<Device | null>(null);

export function useDevice(): Device {
  const device = useContext(DeviceContext);
  if (device === null) throw new Error('useDevice outside of the page');
  return device;
}

export function useDeviceSettings(): DeviceSettings {
  const device = useDevice();
  return useSyncExternalStore(device.subscribe, () => device.settings);
}
