/** Where the Todo service and Better Auth are. */
export const API_URL: string = import.meta.env.VITE_API_URL ?? "http://127.0.0.1:7860";
export const AUTH_URL: string | undefined = import.meta.env.VITE_AUTH_URL ?? "http://localhost:3000";
